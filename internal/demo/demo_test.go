package demo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platen/internal/demo"
	"platen/internal/fault"
	"platen/internal/server"
)

// stage starts a server with the example documents.
func stage(t *testing.T) (j *demo.Journey, data string) {
	t.Helper()
	data = t.TempDir()
	s, err := server.Open(t.Context(), server.Config{Data: data, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	secrets, err := demo.KeepSecrets(data)
	if err != nil {
		t.Fatal(err)
	}
	if replaced, err := demo.Apply(t.Context(), s, secrets); err != nil || !replaced {
		t.Fatalf("replaced %v, %v", replaced, err)
	}
	return &demo.Journey{Server: s, Secrets: secrets, Output: filepath.Join(data, "picture.png"), Run: "test"}, data
}

func TestAFailingJourneyTellsWhichStepFailed(t *testing.T) {
	for _, c := range []struct {
		name   string
		breaks func(t *testing.T, j *demo.Journey)
		says   string // how the error begins
		steps  int    // told, with the failed one
	}{
		{
			"a wrong token", func(t *testing.T, j *demo.Journey) { j.Secrets.Token = "nonsense" },
			"step 1 (The shop knows an e-mail address and a time zone, nothing more): /users/track answered 401 instead of 201", 1,
		},
		{
			"a collector that refuses", func(t *testing.T, j *demo.Journey) {
				apply(t, j, "kind: Source\nworkspace: content\nname: from-engage\nkey: shop-behavioral\nusername: shop\npassword: {env: P}\npresets: [movable-ink]\n")
			},
			"step 2 (Somebody known by e-mail only looks at a product): the webhook is ", 2,
		},
		{
			"a campaign that tells nothing of the person", func(t *testing.T, j *demo.Journey) {
				apply(t, j, "kind: Campaign\nworkspace: engage\nname: Account created to the Customer Data API\nstate: active\n"+
					"trigger: {event: Account Created}\nvariants:\n  - name: Variant 1\n    percent: 100\n    webhook:\n"+
					"      url: http://"+j.Server.Addr()+"/healthz\n      method: GET\n")
			},
			"step 7 (One person, with the anonymous and the known history): the profile does not hold both", 7,
		},
		{
			"a picture that cannot be saved", func(t *testing.T, j *demo.Journey) { j.Output = filepath.Join(j.Output, "missing", "a.png") },
			"step 8 (They open the mail: the picture is drawn for them): save the picture: ", 8,
		},
		{
			"a link that leads nowhere", func(t *testing.T, j *demo.Journey) {
				apply(t, j, "kind: Workspace\nname: content\nlink_domains: [elsewhere.example.com]\n")
			},
			"step 9 (They click on it): the link answered 200 instead of 302", 9,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, data := stage(t)
			c.breaks(t, j)
			told := 0
			j.Progress = func(*demo.Step) { told++ }
			r, err := j.Play(t.Context(), data)
			if err == nil || !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("the error is %v", err)
			}
			if r.OK || r.Error == "" {
				t.Errorf("the result says ok %v, error %q", r.OK, r.Error)
			}
			if len(r.Steps) != c.steps || told != c.steps {
				t.Fatalf("%d steps in the result, %d told, want %d", len(r.Steps), told, c.steps)
			}
			if last := r.Steps[c.steps-1]; !strings.Contains(last.Seen, "this step failed") || last.Method == "" {
				t.Errorf("the last step is %+v", last)
			}
		})
	}
}

// apply changes the documents of the stage.
func apply(t *testing.T, j *demo.Journey, text string) {
	t.Helper()
	if err := j.Server.ApplyText(t.Context(), "breaks.yaml", text, map[string]string{"P": "another-password-of-some-length"}); err != nil {
		t.Fatal(err)
	}
}

func TestAJourneyThatIsInterruptedEnds(t *testing.T) {
	j, data := stage(t)
	ctx, cancel := context.WithCancel(t.Context())
	j.Progress = func(*demo.Step) { cancel() }
	r, err := j.Play(ctx, data)
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "step 2 ") || r.OK || len(r.Steps) != 1 {
		t.Errorf("%v: %+v", err, r.Steps)
	}
}

func TestASecondRunTellsItAsOne(t *testing.T) {
	j, data := stage(t)
	first, err := j.Play(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	j.Run = "second"
	second, err := j.Play(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(first.Steps[0].Seen, "no user id") || strings.Contains(second.Steps[0].Seen, "no user id") {
		t.Errorf("the first run saw %q, the second %q", first.Steps[0].Seen, second.Steps[0].Seen)
	}
	if first.Steps[1].Title == second.Steps[1].Title {
		t.Errorf("both runs say %q", first.Steps[1].Title)
	}
	if len(second.Deliveries) != 3 || second.Deliveries[0].ID == first.Deliveries[0].ID {
		t.Error("the second run shows the deliveries of the first")
	}
}

func TestSecretsOfTheDemo(t *testing.T) {
	data := t.TempDir()
	t.Setenv("SHOP_TOKEN", "")
	t.Setenv("SHOP_SECRET", "")
	made, err := demo.KeepSecrets(data)
	if err != nil || made.Token == "" || made.Password == "" || made.Token == made.Password {
		t.Fatalf("made %+v, %v", made, err)
	}
	if again, err := demo.KeepSecrets(data); again != made || err != nil {
		t.Errorf("the second time %+v, %v", again, err)
	}
	t.Setenv("SHOP_TOKEN", "their-own-token")
	if own, err := demo.KeepSecrets(data); own.Token != "their-own-token" || own.Password != made.Password || err != nil {
		t.Errorf("with SHOP_TOKEN: %+v, %v", own, err)
	}
	path := filepath.Join(data, "demo-secrets.json")
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is readable by others: %v, %v", info.Mode(), err)
	}
	for _, damaged := range []string{"", "{", "{}", `{"SHOP_TOKEN":"a"}`} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := demo.KeepSecrets(data); fault.ReasonOf(err) != "secret_file" || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}
