package engage

import (
	"strings"
	"time"
	_ "time/tzdata" // names must not depend on what the machine has installed
)

// zoneRegions are where Rails' zones named after a city lie in the IANA database.
var zoneRegions = []string{"America", "Europe", "Asia", "Africa", "Australia", "Pacific", "Atlantic"}

// railsZones are the zones of Rails (ActiveSupport::TimeZone) that bear no name of
// an IANA city.
var railsZones = map[string]string{
	"Abu Dhabi":                    "Asia/Dubai",
	"Alaska":                       "America/Anchorage",
	"American Samoa":               "Pacific/Pago_Pago",
	"Arizona":                      "America/Phoenix",
	"Astana":                       "Asia/Almaty",
	"Atlantic Time (Canada)":       "America/Halifax",
	"Beijing":                      "Asia/Shanghai",
	"Bern":                         "Europe/Zurich",
	"Brasilia":                     "America/Sao_Paulo",
	"Cape Verde Is.":               "Atlantic/Cape_Verde",
	"Central America":              "America/Guatemala",
	"Central Time (US & Canada)":   "America/Chicago",
	"Chatham Is.":                  "Pacific/Chatham",
	"Chennai":                      "Asia/Kolkata",
	"Eastern Time (US & Canada)":   "America/New_York",
	"Edinburgh":                    "Europe/London",
	"Ekaterinburg":                 "Asia/Yekaterinburg",
	"Georgetown":                   "America/Guyana",
	"Greenland":                    "America/Nuuk",
	"Guadalajara":                  "America/Mexico_City",
	"Hanoi":                        "Asia/Bangkok",
	"Hawaii":                       "Pacific/Honolulu",
	"Indiana (East)":               "America/Indiana/Indianapolis",
	"International Date Line West": "Etc/GMT+12",
	"Islamabad":                    "Asia/Karachi",
	"Marshall Is.":                 "Pacific/Majuro",
	"Mid-Atlantic":                 "Atlantic/South_Georgia",
	"Midway Island":                "Pacific/Midway",
	"Mountain Time (US & Canada)":  "America/Denver",
	"Mumbai":                       "Asia/Kolkata",
	"New Caledonia":                "Pacific/Noumea",
	"New Delhi":                    "Asia/Kolkata",
	"Newfoundland":                 "America/St_Johns",
	"Nuku'alofa":                   "Pacific/Tongatapu",
	"Osaka":                        "Asia/Tokyo",
	"Pacific Time (US & Canada)":   "America/Los_Angeles",
	"Pretoria":                     "Africa/Johannesburg",
	"Quito":                        "America/Guayaquil",
	"Samoa":                        "Pacific/Apia",
	"Sapporo":                      "Asia/Tokyo",
	"Saskatchewan":                 "America/Regina",
	"Solomon Is.":                  "Pacific/Guadalcanal",
	"Sri Jayawardenepura":          "Asia/Colombo",
	"St. Petersburg":               "Europe/Moscow",
	"Tokelau Is.":                  "Pacific/Fakaofo",
	"Wellington":                   "Pacific/Auckland",
	"West Central Africa":          "Africa/Algiers",
}

// findZone gives the IANA name of a time zone that is written as IANA or Rails
// write it.
func findZone(name string) (iana string, ok bool) {
	if iana, ok := railsZones[name]; ok {
		return iana, true
	}
	if isZone(name) {
		return name, true
	}
	city := strings.ReplaceAll(name, " ", "_")
	for _, region := range zoneRegions {
		if iana := region + "/" + city; isZone(iana) {
			return iana, true
		}
	}
	return "", false
}

// isZone says whether a name is of the IANA database. The empty name and "Local"
// mean something to Go and nothing to a sender.
func isZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
