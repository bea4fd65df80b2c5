package nodeapi

// This file reads what is documented of the members of bodies.

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// describedField is a member of a schema.
type describedField struct {
	Type       any
	Default    json.RawMessage
	ReadOnly   bool
	OneOf      []describedField
	Minimum    *json.Number
	Maximum    *json.Number
	Required   []string
	Properties map[string]describedField
	Additional json.RawMessage `json:"additionalProperties"`

	needed bool
}

// kinds are its JSON types, in order.
func (d describedField) kinds() string {
	var all []string
	switch kinds := d.Type.(type) {
	case string:
		all = append(all, kinds)
	case []any:
		for _, kind := range kinds {
			all = append(all, kind.(string))
		}
	}
	for _, one := range d.OneOf {
		all = append(all, one.kinds())
	}
	slices.Sort(all)
	return strings.Join(all, "/")
}

// bounds are the least and the greatest integer.
func (d describedField) bounds() (least, most *big.Int) {
	for _, one := range d.OneOf {
		if one.Type == "integer" && one.Minimum != nil && one.Maximum != nil {
			least, _ = new(big.Int).SetString(one.Minimum.String(), 10)
			most, _ = new(big.Int).SetString(one.Maximum.String(), 10)
		}
	}
	return least, most
}

// gather puts all members below a schema into all, by path. Of an object whose members are not named there is one, "*".
func (d describedField) gather(path string, all map[string]describedField) {
	for name, member := range d.Properties {
		member.needed = slices.Contains(d.Required, name)
		if !member.ReadOnly {
			all[path+"."+name] = member
			member.gather(path+"."+name, all)
		}
	}
	var value describedField
	if len(d.Properties) == 0 && json.Unmarshal(d.Additional, &value) == nil {
		all[path+".*"] = value
	}
}

// describedFields are all members of all bodies.
func describedFields(t *testing.T) map[string]describedField {
	t.Helper()
	var d struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]describedField }
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]describedField)
	for _, item := range d.Paths {
		for method, raw := range item {
			var operation struct {
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Ref   string `json:"$ref"`
							AnyOf []struct {
								Ref string `json:"$ref"`
							} `json:"anyOf"`
						}
					}
				}
			}
			if method == "parameters" {
				continue
			}
			if err := json.Unmarshal(raw, &operation); err != nil {
				t.Fatal(err)
			}
			for _, content := range operation.RequestBody.Content {
				refs := []string{content.Schema.Ref}
				for _, one := range content.Schema.AnyOf {
					refs = append(refs, one.Ref)
				}
				for _, ref := range refs {
					if name := strings.TrimPrefix(ref, "#/components/schemas/"); name != "" {
						d.Components.Schemas[name].gather(name, all)
					}
				}
			}
		}
	}
	return all
}

// readDocs are the guides to the API.
func readDocs(t *testing.T) (all string) {
	t.Helper()
	for _, name := range []string{"node-api.md", "node-api-java.md"} {
		page, err := os.ReadFile(filepath.Join("..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(page)
	}
	return all
}
