// go run mint.go KEYFILE SUBJECT: prints a token that is valid for an hour.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"
)

type rights struct {
	Subscribe []string `json:"subscribe"`
	Publish   []string `json:"publish"`
}

func mint(secret []byte, subject string, may rights, valid time.Duration) (string, error) {
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"sub": subject, "iat": now.Unix(), "exp": now.Add(valid).Unix(), "sluice": may})
	if err != nil {
		return "", err
	}
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil)), nil
}

func main() {
	secret, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	may := rights{Subscribe: []string{"chat.*"}, Publish: []string{"chat.42"}}
	token, err := mint(bytes.TrimSpace(secret), os.Args[2], may, time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token)
}
