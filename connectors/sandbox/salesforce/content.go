package salesforce

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
	"golang.org/x/net/html"
)

// previewLength is how much of a note's text ContentNote.TextPreview shows.
const previewLength = 255

// createNote adds a note: a document whose only version is the note. Its id is the document's.
func (t *tx) createNote(ctx context.Context, row map[string]any, sys system) (string, error) {
	version := map[string]any{"Title": row["Title"], "VersionData": row["Content"], "OwnerId": row["OwnerId"], "FileType": "SNOTE"}
	if _, err := t.create(ctx, t.org.object("ContentVersion"), version, sys); err != nil {
		return "", err
	}
	return version["ContentDocumentId"].(string), nil
}

// publish makes a new version, complete but not yet stored, the latest of its document; without one it makes the
// document.
func (t *tx) publish(ctx context.Context, version map[string]any, sys system) error {
	data, _ := version["VersionData"].([]byte)
	version["ContentSize"], version["IsLatest"] = int64(len(data)), int64(1)
	version["ContentModifiedDate"] = version["LastModifiedDate"]
	if name, ok := version["PathOnClient"].(string); ok && version["FileType"] == nil {
		extension := strings.TrimPrefix(path.Ext(name), ".")
		version["FileExtension"], version["FileType"] = extension, strings.ToUpper(extension)
		if version["Title"] == nil {
			version["Title"] = strings.TrimSuffix(path.Base(name), path.Ext(name))
		}
	}
	if version["FileType"] == "SNOTE" {
		version["FileExtension"], version["TextPreview"] = "snote", preview(data)
	}

	documents := t.org.object("ContentDocument")
	document := map[string]any{"OwnerId": version["OwnerId"]}
	old, isNew := map[string]any(nil), version["ContentDocumentId"] == nil
	if !isNew {
		var err error
		if old, err = t.stored(ctx, documents, version["ContentDocumentId"].(string)); err != nil {
			return err
		}
		document = maps.Clone(old)
	}
	for _, name := range []string{"Title", "FileType", "FileExtension", "ContentSize", "ContentModifiedDate"} {
		document[name] = version[name]
	}
	document["LatestPublishedVersionId"] = version["Id"]
	if !isNew {
		return t.supersede(ctx, documents, version, old, document)
	}
	version["VersionNumber"] = "1"
	id, err := t.create(ctx, documents, document, sys)
	version["ContentDocumentId"] = id
	if place := version["FirstPublishLocationId"]; err == nil && place != nil {
		_, err = t.create(ctx, t.org.object("ContentDocumentLink"), map[string]any{"ContentDocumentId": id, "LinkedEntityId": place}, sys)
	}
	return err
}

// supersede stores a document's change for a new version, and takes IsLatest from the versions before it.
func (t *tx) supersede(ctx context.Context, documents *Object, version, old, document map[string]any) error {
	var count int
	if err := sqlx.GetContext(ctx, t, &count, "SELECT count(*) FROM ContentVersion WHERE ContentDocumentId = ?", old["Id"]); err != nil {
		return fmt.Errorf("count versions: %w", err)
	}
	version["VersionNumber"] = strconv.Itoa(count + 1)
	if err := t.exec(ctx, "UPDATE ContentVersion SET IsLatest = 0, SystemModstamp = ? WHERE ContentDocumentId = ? AND IsLatest",
		t.now.Format(storedTime), old["Id"]); err != nil {
		return fmt.Errorf("supersede versions: %w", err)
	}
	return t.updateRow(ctx, documents, version["CreatedById"].(string), old, document)
}

// preview returns the beginning of a note's text. Lines stay lines: what HTML breaks, the preview breaks.
func preview(note []byte) any {
	var b strings.Builder
	for z := html.NewTokenizer(bytes.NewReader(note)); ; {
		switch z.Next() {
		case html.TextToken:
			b.WriteString(html.UnescapeString(string(z.Text())))
			continue
		case html.ErrorToken:
		case html.EndTagToken:
			switch name, _ := z.TagName(); string(name) {
			case "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6":
				b.WriteByte('\n')
			case "td", "th":
				b.WriteByte(' ')
			}
			continue
		default:
			if name, _ := z.TagName(); string(name) == "br" {
				b.WriteByte('\n')
			}
			continue
		}
		break
	}
	text := []rune(strings.TrimSpace(b.String()))
	if len(text) == 0 {
		return nil
	}
	return string(text[:min(len(text), previewLength)])
}
