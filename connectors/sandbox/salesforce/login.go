package salesforce

import (
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The credentials that the org accepts.
const (
	ClientID     = "sandbox-client"
	ClientSecret = "sandbox-secret"
	Username     = "revops@sandbox.example"
	password     = "sandbox-password"
)

// sessionLife is how long a session lives after it was last used.
const sessionLife = 2 * time.Hour

// lastSOAPLogin is the last API version that has login().
const lastSOAPLogin = 64

// sessions are the open sessions. The zero value holds none.
type sessions struct {
	mu   sync.Mutex
	open map[string]*session
}

type session struct {
	user    user
	expires time.Time
}

func (s *sessions) start(u user, now time.Time) (token string) {
	token = organizationID[:15] + "!" + rand.Text() + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]*session{}
	}
	for token, old := range s.open {
		if old.expires.Before(now) {
			delete(s.open, token)
		}
	}
	s.open[token] = &session{u, now.Add(sessionLife)}
	return token
}

// user returns who a token stands for, and keeps the session alive.
func (s *sessions) user(token string, now time.Time) (user, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[token]
	if !ok || found.expires.Before(now) {
		return user{}, false
	}
	found.expires = now.Add(sessionLife)
	return found.user, true
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, token)
}

func (o *Org) loginRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /services/oauth2/token", o.handleToken)
	mux.HandleFunc("/services/oauth2/revoke", o.handleRevoke)
	mux.HandleFunc("/services/oauth2/userinfo", o.handleUserInfo)
	mux.HandleFunc("GET /id/{organization}/{user}", o.handleIdentity)
	mux.HandleFunc("POST /services/Soap/{kind}/{version}", o.handleSOAP)
	mux.HandleFunc("POST /services/Soap/{kind}/{version}/{organization}", o.handleSOAP)
}

func base(r *http.Request) string { return "http://" + r.Host }

func identityURL(r *http.Request) string {
	return base(r) + "/id/" + organizationID + "/" + integrationUserID
}

// handleToken answers the OAuth flows client credentials, JWT bearer and username-password.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
func (o *Org) handleToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, description string) {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": description})
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	grant := r.PostFormValue("grant_type")
	if grant == grantAssertion {
		if code, description := o.judgeAssertion(r.PostFormValue("assertion")); code != "" {
			refuse(code, description)
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{
			"access_token": o.sessions.start(user{ID: integrationUserID}, o.now()),
			"scope":        "api refresh_token",
			"instance_url": base(r),
			"id":           identityURL(r),
			"token_type":   "Bearer",
		})
		return
	}
	switch {
	case grant != "client_credentials" && grant != "password":
		refuse("unsupported_grant_type", "grant type not supported")
		return
	case id != ClientID:
		refuse("invalid_client_id", "client identifier invalid")
		return
	case secret != ClientSecret:
		refuse("invalid_client", "invalid client credentials")
		return
	case grant == "password" && !knows(r.PostFormValue("username"), r.PostFormValue("password")):
		refuse("invalid_grant", "authentication failure")
		return
	}
	now := o.now()
	writeJSON(w, http.StatusOK, map[string]string{
		"access_token": o.sessions.start(user{ID: integrationUserID}, now),
		"signature":    "c2FuZGJveA==",
		"scope":        "api",
		"instance_url": base(r),
		"id":           identityURL(r),
		"token_type":   "Bearer",
		"issued_at":    strconv.FormatInt(now.UnixMilli(), 10),
	})
}

func knows(username, pass string) bool {
	return strings.EqualFold(username, Username) && pass == password
}

func (o *Org) handleRevoke(_ http.ResponseWriter, r *http.Request) {
	o.sessions.end(r.FormValue("token"))
}

func (o *Org) handleUserInfo(w http.ResponseWriter, r *http.Request) {
	if _, ok := o.sessions.user(bearer(r), o.now()); !ok {
		http.Error(w, "Bad_OAuth_Token", http.StatusForbidden)
		return
	}
	writeJSON(w, http.StatusOK, identity(r))
}

func (o *Org) handleIdentity(w http.ResponseWriter, r *http.Request) {
	token := bearer(r)
	if token == "" {
		token = r.FormValue("oauth_token")
	}
	if _, ok := o.sessions.user(token, o.now()); !ok {
		http.Error(w, "Bad_OAuth_Token", http.StatusForbidden)
		return
	}
	writeJSON(w, http.StatusOK, identity(r))
}

func identity(r *http.Request) map[string]any {
	data := base(r) + "/services/data/v{version}/"
	return map[string]any{
		"id": identityURL(r), "sub": identityURL(r), "asserted_user": true,
		"user_id": integrationUserID, "organization_id": organizationID,
		"username": Username, "preferred_username": Username, "email": Username, "email_verified": true,
		"name": "RevOps Integration", "display_name": "RevOps Integration", "nick_name": "revops",
		"user_type": "STANDARD", "active": true, "language": "en_US", "locale": "en_GB", "utcOffset": 0,
		"urls": map[string]string{
			"rest": data, "sobjects": data + "sobjects/", "query": data + "query/",
			"partner": base(r) + "/services/Soap/u/{version}/" + organizationID,
		},
	}
}

// handleSOAP answers login() and logout() of the partner and enterprise APIs; nothing else of SOAP exists here.
func (o *Org) handleSOAP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Login *struct {
			Username string `xml:"username"`
			Password string `xml:"password"`
		} `xml:"Body>login"`
		Logout    *struct{} `xml:"Body>logout"`
		SessionID string    `xml:"Header>SessionHeader>sessionId"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&request); err != nil {
		writeFault(w, "INVALID_XML", err.Error())
		return
	}
	version, err := strconv.ParseFloat(r.PathValue("version"), 64)
	kind := r.PathValue("kind")
	switch {
	case err != nil || kind != "u" && kind != "c":
		writeFault(w, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
	case request.Logout != nil:
		o.sessions.end(request.SessionID)
		writeSOAP(w, http.StatusOK, "<logoutResponse/>")
	case request.Login == nil:
		writeFault(w, "INVALID_OPERATION", "This sandbox answers only login and logout over SOAP")
	case version > lastSOAPLogin:
		writeFault(w, "INVALID_OPERATION", fmt.Sprintf("SOAP API login() is not available in API version %.1f.", version))
	case !knows(request.Login.Username, request.Login.Password):
		writeFault(w, "INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
	default:
		server := base(r) + "/services/Soap/%s/" + r.PathValue("version") + "/" + organizationID
		writeSOAP(w, http.StatusOK, fmt.Sprintf(`<loginResponse><result><metadataServerUrl>%s</metadataServerUrl><passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>%s</serverUrl><sessionId>%s</sessionId><userId>%s</userId><userInfo><organizationId>%s</organizationId><organizationName>%s</organizationName><sessionSecondsValid>%d</sessionSecondsValid><userEmail>%[8]s</userEmail><userFullName>RevOps Integration</userFullName><userId>%[4]s</userId><userName>%[8]s</userName></userInfo></result></loginResponse>`,
			fmt.Sprintf(server, "m"), fmt.Sprintf(server, kind), o.sessions.start(user{ID: integrationUserID}, o.now()),
			integrationUserID, organizationID, orgName, int(sessionLife.Seconds()), Username))
	}
}

func writeSOAP(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`, body)
}

func writeFault(w http.ResponseWriter, code, message string) {
	message = html.EscapeString(message)
	writeSOAP(w, http.StatusInternalServerError, fmt.Sprintf(`<soapenv:Fault><faultcode>sf:%s</faultcode><faultstring>%[1]s: %[2]s</faultstring><detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>%[1]s</sf:exceptionCode><sf:exceptionMessage>%[2]s</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>`, code, message))
}
