package salesforce

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// grantAssertion is the OAuth flow in which a client signs who it is instead of sending a secret.
// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
const grantAssertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// audience is where people log in to sandboxes, which this org is one of.
const audience = "https://test.salesforce.com"

// appKey is the key pair of the app. An org holds its public half, in the certificate that an admin uploads.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("salesforce: make a key: " + err.Error()) // the random source of crypto/rand does not fail
	}
	return key
})

// PrivateKey returns the key that clients sign their assertions with, in PEM. Each process has another one.
func PrivateKey() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(appKey())}))
}

// judgeAssertion returns why an assertion is refused, in Salesforce's words; "": it is good.
func (o *Org) judgeAssertion(assertion string) (code, description string) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(assertion, claims, func(*jwt.Token) (any, error) { return &appKey().PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(o.now))
	user, _ := claims["sub"].(string)
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "invalid_grant", "invalid assertion"
	case claims["iss"] != ClientID: // says whose certificate to try
		return "invalid_client_id", "client identifier invalid"
	case errors.Is(err, jwt.ErrTokenExpired):
		return "invalid_grant", "expired authorization code"
	case err != nil:
		return "invalid_grant", "invalid assertion"
	case claims["aud"] != audience:
		return "invalid_grant", "audience is invalid"
	case !strings.EqualFold(user, Username): // unknown, or not among those whom an admin has approved
		return "invalid_grant", "user hasn't approved this consumer"
	}
	return "", ""
}
