package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"handoff/connectors/sandbox/hubspot"
	"handoff/connectors/sandbox/salesforce"
)

// configHeader marks a file that WriteConfig may replace.
const configHeader = "# Written by `handoff sandbox`, and replaced by it.\n"

// WriteConfig writes a configuration that works at once against the running CRMs, and its secrets to the folder
// path.secrets beside it. It replaces its own files and refuses to replace any other configuration.
func (s *Sandbox) WriteConfig(path string) error {
	if old, err := os.ReadFile(path); err == nil && !bytes.HasPrefix(old, []byte(configHeader)) {
		return fmt.Errorf("%s exists and was not written by the sandbox. Name another file", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write configuration: %w", err)
	}
	secrets := path + ".secrets"
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	// secret keeps a secret in a file of its own and returns how the configuration names that.
	secret := func(name, text string) (string, error) {
		path := filepath.Join(secrets, name)
		err := errors.Join(os.WriteFile(path, []byte(text+"\n"), 0o600), os.Chmod(path, 0o600)) // an old file keeps its mode
		return strconv.Quote("file:" + filepath.ToSlash(filepath.Join(filepath.Base(secrets), name))), err
	}
	clientSecret, err := secret("salesforce_client_secret", salesforce.ClientSecret)
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	privateKey, err := secret("salesforce_private_key", strings.TrimSpace(salesforce.PrivateKey()))
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	token, err := secret("hubspot_token", hubspot.Token)
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	text := configHeader + `
[store]
url = "sqlite:handoff.db"

[connections.salesforce]
crm = "salesforce"
url = ` + strconv.Quote(s.SalesforceURL()) + `
auth = "client_credentials"
client_id = ` + strconv.Quote(salesforce.ClientID) + `
client_secret = ` + clientSecret + `
# To log in by JWT, write auth = "jwt" above, and:
# username = ` + strconv.Quote(salesforce.Username) + `
# private_key = ` + privateKey + `
` + behaviour + `
[connections.hubspot]
crm = "hubspot"
url = ` + strconv.Quote(s.HubSpotURL()) + `
token = ` + token + `
` + behaviour
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// behaviour is the same for every CRM: everything is pulled, scored as of each case's own moment and written back.
const behaviour = `write_back = true
since = "2000-01-01"
overlap = "1s"
as_of = "case"
schedule = "*/15 * * * *"
time_zone = "UTC"
`
