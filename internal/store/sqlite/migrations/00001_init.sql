-- +goose Up
-- Times are unix microseconds, ids are event.ID: milliseconds, node, sequence.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- People. What a part holds beside these columns is in data (profile.MarshalPart).
CREATE TABLE parts (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL,
    owner      INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    stale      INTEGER NOT NULL,
    last_event INTEGER NOT NULL, -- the newest of its events, from which the others are found
    data       BLOB    NOT NULL
);
CREATE INDEX parts_stale ON parts (id) WHERE stale = 1;

-- The parts that changed lately, a row for each commit. Of a part the last entry
-- holds; parts has what is in none (see recent.go).
CREATE TABLE parts_recent (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);

CREATE TABLE identifiers (
    workspace INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    value     TEXT    NOT NULL,
    part      INTEGER NOT NULL,
    PRIMARY KEY (workspace, kind, value)
) WITHOUT ROWID;

-- E-mails and phones: attributes by which parts are found, not unique.
CREATE TABLE lookups (
    workspace INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    value     TEXT    NOT NULL,
    part      INTEGER NOT NULL,
    PRIMARY KEY (workspace, kind, value, part)
) WITHOUT ROWID;

CREATE TABLE identity_log (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    into_part INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    detail    TEXT    NOT NULL
);
CREATE INDEX identity_log_part ON identity_log (part);
CREATE INDEX identity_log_into ON identity_log (into_part);

-- Events lie in tables of their own by receipt: the table of an event is the
-- one with the greatest first_id that is not above its id. Each names the event
-- stored before it under the same part.
CREATE TABLE event_tables (first_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- Ids by which duplicates are recognised, each with its event: a row for each
-- commit, and from time to time all of them as a sorted run (see seen.go).
CREATE TABLE seen_recent (id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
CREATE TABLE seen_runs (
    run     INTEGER NOT NULL,
    least   BLOB    NOT NULL, -- the first key in entries
    entries BLOB    NOT NULL,
    PRIMARY KEY (run, least)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    received  INTEGER NOT NULL,
    event     TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    message   TEXT    NOT NULL,
    pointer   TEXT    NOT NULL,
    raw       BLOB
);
CREATE INDEX quarantine_workspace ON quarantine (workspace, id);

-- Events that triggered a campaign and wait to be planned.
CREATE TABLE hits (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    campaign  TEXT    NOT NULL,
    event     INTEGER NOT NULL,
    profile   INTEGER NOT NULL,
    refused   TEXT    NOT NULL -- why the audience refused, '' when it did not
);

-- One row for every message, and for every message that was not sent.
CREATE TABLE deliveries (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    campaign  TEXT    NOT NULL,
    variant   TEXT    NOT NULL,
    profile   INTEGER NOT NULL,
    event     INTEGER NOT NULL,
    state     TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    due       INTEGER NOT NULL,
    next      INTEGER NOT NULL, -- when the next attempt may start
    leased    INTEGER NOT NULL, -- 0, or until when a worker holds it
    created   INTEGER NOT NULL,
    finished  INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    host      TEXT    NOT NULL,
    request   BLOB              -- JSON of campaign.Request, from before the first attempt
);
-- Each host has its own stretch: what waits for a dead one is never walked through.
CREATE INDEX deliveries_queue ON deliveries (workspace, host, max(next, leased)) WHERE state = 'queued';
CREATE INDEX deliveries_campaign ON deliveries (campaign, id);
CREATE INDEX deliveries_profile ON deliveries (profile, id);

CREATE TABLE attempts (
    delivery INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    error    TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    response BLOB,
    remote   TEXT    NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

-- Documents as applied: all versions, of which the highest holds.
CREATE TABLE documents (
    workspace INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    secret    BLOB,
    updated   INTEGER NOT NULL,
    PRIMARY KEY (workspace, kind, id, version)
) WITHOUT ROWID;

-- Pictures of products, fetched when an event shows them and scaled.
CREATE TABLE photos (
    workspace INTEGER NOT NULL,
    url       TEXT    NOT NULL,
    state     TEXT    NOT NULL, -- queued, ready, failed
    queued    INTEGER NOT NULL,
    fetched   INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    error     TEXT    NOT NULL,
    picture   BLOB,             -- PNG or JPEG, scaled
    PRIMARY KEY (workspace, url)
);
CREATE INDEX photos_queue ON photos (queued) WHERE state = 'queued';

-- What a person was last shown by a block, so that the link of a picture leads
-- to what the picture showed.
CREATE TABLE shown (
    block  TEXT    NOT NULL,
    person TEXT    NOT NULL,
    params TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    links  TEXT    NOT NULL, -- JSON array, one link for each item
    PRIMARY KEY (block, person, params)
) WITHOUT ROWID;

CREATE TABLE impressions (
    id        INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    block     TEXT    NOT NULL,
    person    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    rule      INTEGER NOT NULL, -- index of the rule that matched, -1 for the fallback
    reason    TEXT    NOT NULL  -- why the fallback was shown
);
CREATE TABLE clicks (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL,
    block       TEXT    NOT NULL,
    person      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    destination TEXT    NOT NULL,
    reason      TEXT    NOT NULL -- why it was not the wanted one, empty when it was
);
