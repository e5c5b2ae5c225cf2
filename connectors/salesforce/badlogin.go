package salesforce

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

// How long a password that Salesforce refused is not sent again, by whatever run: an org locks a user after a few bad logins,
// and a run every five minutes is soon a few. It doubles with each bad login, up to the most.
const (
	badLoginWait = 15 * time.Minute
	badLoginMost = 12 * time.Hour
)

// guessWork is how many hashes a guess at the password costs whoever finds its fingerprint.
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
const guessWork = 210_000

// badLogin is a login by password that Salesforce refused. It is remembered until one is accepted.
type badLogin struct {
	Login   string    `json:"login"` // fingerprint of who logs in where, and with which password
	Tries   int       `json:"tries"` // in vain
	Next    time.Time `json:"next"`  // not sent before, by this machine's clock
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Remedy  string    `json:"remedy"`
}

// tryLogin logs in, unless the same password was refused not long ago: then it returns the same error again. Without a memory,
// and without a password, nothing stands in the way.
func (c *Client) tryLogin(ctx context.Context) (session, error) {
	if c.cfg.Memory == nil || c.cfg.Password == "" {
		return c.authenticate(ctx)
	}
	bad, err := c.recallBadLogin(ctx)
	if err != nil {
		return session{}, err
	}
	if bad != nil && c.cfg.Now().Before(bad.Next) {
		return session{}, bad.err()
	}
	s, err := c.authenticate(ctx)
	switch e := refused(err); {
	case err == nil && bad != nil:
		err = c.cfg.Memory.Remember(ctx, nil)
	case e != nil && e.Setting == "password":
		if unsaved := c.rememberBadLogin(ctx, bad, e); unsaved != nil {
			err = fmt.Errorf("%w; it cannot be remembered: %w", err, unsaved)
		}
	}
	return s, err
}

func (b *badLogin) err() error {
	return &connectors.Error{Op: opLogin, CRM: crmName, Class: connectors.ErrConfig, Code: b.Code, Setting: "password", Remedy: b.Remedy,
		Message: fmt.Sprintf("%s; refused %d times, it is not sent again before %s unless it changes, lest the user be locked out",
			b.Message, b.Tries, b.Next.UTC().Format("2 January 15:04 MST"))}
}

// recallBadLogin returns the last bad login; nil: there was none. One with another configuration counts for nothing.
func (c *Client) recallBadLogin(ctx context.Context) (*badLogin, error) {
	data, err := c.cfg.Memory.Recall(ctx)
	if err != nil || data == nil {
		return nil, err
	}
	var b badLogin
	present, err := c.fingerprint()
	if json.Unmarshal(data, &b, lenient) != nil || b.Login != present { // another version of handoff may have written it
		b = badLogin{}
	}
	return &b, err
}

// rememberBadLogin remembers that Salesforce said e to a login, after an earlier bad one; nil: there was none.
func (c *Client) rememberBadLogin(ctx context.Context, earlier *badLogin, e *connectors.Error) error {
	b := badLogin{Tries: 1, Code: e.Code, Message: e.Message, Remedy: e.Remedy}
	if earlier != nil {
		b.Tries += earlier.Tries
	}
	b.Next = c.cfg.Now().Add(min(badLoginWait<<min(b.Tries-1, 10), badLoginMost))
	var err error
	if b.Login, err = c.fingerprint(); err != nil {
		return err
	}
	data, err := json.Marshal(b, lenient)
	if err != nil {
		return err
	}
	return c.cfg.Memory.Remember(context.WithoutCancel(ctx), data)
}

// fingerprint tells logins by password from each other, and nothing of the password.
func (c *Client) fingerprint() (string, error) {
	who := strings.Join([]string{c.cfg.URL, c.cfg.Auth, c.cfg.ClientID, c.cfg.Username}, "\n")
	key, err := pbkdf2.Key(sha512.New, c.cfg.Password, []byte(who), guessWork, sha512.Size256)
	return hex.EncodeToString(key), err
}
