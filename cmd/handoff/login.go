package main

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// This file reads the keys of a connection that differ from CRM to CRM: where it is and how to log in.

const (
	oldestAPIVersion = "62.0"
	lastSOAPVersion  = "64.0" // https://help.salesforce.com/s/articleView?id=005132110
)

const (
	exampleMyDomain = "https://example.my.salesforce.com"
	hubspotURL      = "https://api.hubapi.com" // the same for every portal
	hubspotRelease  = "2026-09"                // a version of the API
)

var (
	knownAuths = []string{"client_credentials", "jwt", "password", "soap"}
	apiVersion = regexp.MustCompile(`^[0-9]{2}\.0$`)        // of Salesforce; compares as text
	apiRelease = regexp.MustCompile(`^20[0-9]{2}-(03|09)$`) // of HubSpot
)

func (c *configReader) salesforceLogin(s *section, conn *Connection) {
	if !s.has("url") {
		s.problem("url", "missing. Write your My Domain address: url = %q", exampleMyDomain)
	}
	conn.URL = address(s, exampleMyDomain)
	conn.Auth = choice(s, "auth", knownAuths[0], knownAuths)
	conn.ClientID, _ = s.text("client_id", "3MVG9...")
	conn.ClientSecret = c.secret(s, "client_secret")
	conn.Username, _ = s.text("username", "integration@example.com")
	conn.Password = c.secret(s, "password")
	conn.PrivateKey = c.secret(s, "private_key")
	need := map[string][]string{
		"client_credentials": {"client_id", "client_secret"},
		"jwt":                {"client_id", "username", "private_key"},
		"password":           {"client_id", "client_secret", "username", "password"},
		"soap":               {"username", "password"},
	}
	for _, key := range need[conn.Auth] {
		if !s.has(key) {
			example := "..."
			if key == "client_secret" || key == "password" || key == "private_key" {
				example = "file:" + conn.Name + "." + key
			}
			s.problem(key, "missing; auth = %q needs it. Write %s = %q", conn.Auth, key, example)
		}
	}
	if v, ok := s.text("api_version", "62.0"); ok {
		switch {
		case !apiVersion.MatchString(v) || v < oldestAPIVersion:
			s.problem("api_version", `%q is no API version from %s on. Write it as %q, or leave the line out`, v, oldestAPIVersion, oldestAPIVersion)
		case conn.Auth == "soap" && v > lastSOAPVersion:
			s.problem("api_version", `auth = "soap" does not exist from version 65.0 on. Write api_version = %q, or log in with auth = "client_credentials" or "jwt"`, lastSOAPVersion)
		}
		conn.APIVersion = v
	}
}

func (c *configReader) hubspotLogin(s *section, conn *Connection) {
	conn.URL = hubspotURL
	if s.has("url") {
		conn.URL = address(s, hubspotURL)
	}
	if !s.has("token") {
		s.problem("token", `missing. Write token = "file:%s.token", and put the service key into that file`, conn.Name)
	}
	conn.Token = c.secret(s, "token")
	if v, ok := s.text("api_version", hubspotRelease); ok {
		if !apiRelease.MatchString(v) {
			s.problem("api_version", `%q is no release of HubSpot's API. Write it as %q, or leave the line out`, v, hubspotRelease)
		}
		conn.APIVersion = v
	}
}

// address reads where the CRM is.
func address(s *section, example string) string {
	raw, ok := s.text("url", example)
	if !ok {
		return ""
	}
	if err := checkURL(raw); err != nil {
		s.problem("url", "%q %v. Write it as %q", withoutUser(raw), err, example)
	}
	return strings.TrimRight(raw, "/")
}

// checkURL accepts the address of a host over https, and over http where the host is this machine: credentials travel with
// every call.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return errors.New("is not a web address")
	case u.User != nil:
		return errors.New("carries a user name; credentials have keys of their own")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("would send credentials over http, where anyone on the way can read them")
	}
	return errors.New("does not start with https://")
}

// withoutUser hides a user name and password in something that may be an address.
func withoutUser(raw string) string {
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
