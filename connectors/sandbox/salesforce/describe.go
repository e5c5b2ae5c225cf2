package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// objectDescription is an entry of describeGlobal, and the head of a describe.
type objectDescription struct {
	Name          string            `json:"name"`
	Label         string            `json:"label"`
	LabelPlural   string            `json:"labelPlural"`
	KeyPrefix     string            `json:"keyPrefix"`
	Custom        bool              `json:"custom"`
	CustomSetting bool              `json:"customSetting"`
	Createable    bool              `json:"createable"`
	Updateable    bool              `json:"updateable"`
	Deletable     bool              `json:"deletable"`
	Undeletable   bool              `json:"undeletable"`
	Queryable     bool              `json:"queryable"`
	Retrieveable  bool              `json:"retrieveable"`
	Searchable    bool              `json:"searchable"`
	Layoutable    bool              `json:"layoutable"`
	Replicateable bool              `json:"replicateable"`
	Triggerable   bool              `json:"triggerable"`
	Mergeable     bool              `json:"mergeable"`
	FeedEnabled   bool              `json:"feedEnabled"`
	URLs          map[string]string `json:"urls"`
}

func (v view) describeObject(obj *Object, version string) objectDescription {
	root := "/services/data/v" + version + "/sobjects/" + obj.Name
	writable, access := !obj.ReadOnly, v.access(obj)
	return objectDescription{
		Name: obj.Name, Label: obj.label(), LabelPlural: obj.plural(), KeyPrefix: obj.KeyPrefix,
		Createable: writable && access.create, Updateable: writable && obj.View == "" && access.edit,
		Deletable: writable && obj.Name != "User" && access.remove, Undeletable: writable && access.remove,
		Queryable: true, Retrieveable: true, Searchable: obj.NameField != "", Layoutable: writable,
		Replicateable: obj.Field("SystemModstamp") != nil, Triggerable: writable,
		URLs: map[string]string{"sobject": root, "describe": root + "/describe", "rowTemplate": root + "/{ID}"},
	}
}

type fieldDescription struct {
	Name                  string          `json:"name"`
	Label                 string          `json:"label"`
	Type                  FieldType       `json:"type"`
	SOAPType              string          `json:"soapType"`
	Length                int             `json:"length"`
	ByteLength            int             `json:"byteLength"`
	Precision             int             `json:"precision"`
	Scale                 int             `json:"scale"`
	Digits                int             `json:"digits"`
	Custom                bool            `json:"custom"`
	Calculated            bool            `json:"calculated"`
	AutoNumber            bool            `json:"autoNumber"`
	Createable            bool            `json:"createable"`
	Updateable            bool            `json:"updateable"`
	Nillable              bool            `json:"nillable"`
	DefaultedOnCreate     bool            `json:"defaultedOnCreate"`
	DefaultValue          any             `json:"defaultValue"`
	Filterable            bool            `json:"filterable"`
	Sortable              bool            `json:"sortable"`
	Groupable             bool            `json:"groupable"`
	Aggregatable          bool            `json:"aggregatable"`
	NameField             bool            `json:"nameField"`
	IDLookup              bool            `json:"idLookup"`
	ExternalID            bool            `json:"externalId"`
	Unique                bool            `json:"unique"`
	CaseSensitive         bool            `json:"caseSensitive"`
	HTMLFormatted         bool            `json:"htmlFormatted"`
	DeprecatedAndHidden   bool            `json:"deprecatedAndHidden"`
	PolymorphicForeignKey bool            `json:"polymorphicForeignKey"`
	CascadeDelete         bool            `json:"cascadeDelete"`
	RestrictedDelete      bool            `json:"restrictedDelete"`
	ReferenceTo           []string        `json:"referenceTo"`
	RelationshipName      *string         `json:"relationshipName"`
	RestrictedPicklist    bool            `json:"restrictedPicklist"`
	DependentPicklist     bool            `json:"dependentPicklist"`
	PicklistValues        []picklistValue `json:"picklistValues"`
	InlineHelpText        *string         `json:"inlineHelpText"`
	ExtraTypeInfo         *string         `json:"extraTypeInfo"`
}

type picklistValue struct {
	Active       bool   `json:"active"`
	DefaultValue bool   `json:"defaultValue"`
	Label        string `json:"label"`
	Value        string `json:"value"`
}

type childRelationship struct {
	ChildSObject        string  `json:"childSObject"`
	Field               string  `json:"field"`
	RelationshipName    *string `json:"relationshipName"`
	CascadeDelete       bool    `json:"cascadeDelete"`
	RestrictedDelete    bool    `json:"restrictedDelete"`
	DeprecatedAndHidden bool    `json:"deprecatedAndHidden"`
}

var soapTypes = map[FieldType]string{
	TypeID: "tns:ID", TypeReference: "tns:ID", TypeBoolean: "xsd:boolean", TypeInt: "xsd:int", TypeDouble: "xsd:double",
	TypePercent: "xsd:double", TypeCurrency: "xsd:double", TypeDate: "xsd:date", TypeDateTime: "xsd:dateTime",
	TypeBase64: "xsd:base64Binary", TypeAny: "xsd:anyType",
}

func (v view) describe(obj *Object, f *Field, values []string) fieldDescription {
	d := fieldDescription{
		Name: f.Name, Label: f.label(), Type: f.Type, SOAPType: "xsd:string", Length: f.Length, ByteLength: 3 * f.Length,
		Precision: f.Precision, Scale: f.Scale, Custom: f.Custom(),
		Createable: !obj.ReadOnly && v.edits(obj, f, true), Updateable: !obj.ReadOnly && obj.View == "" && v.edits(obj, f, false),
		Nillable: !f.Required && f.Type != TypeBoolean && f.Type != TypeID, DefaultedOnCreate: f.Default != nil || f.ReadOnly || f.Name == "OwnerId",
		DefaultValue: f.Default, Filterable: f.Filterable(), Sortable: f.Filterable(), Groupable: f.groupable(),
		Aggregatable: f.Filterable() && f.Type != TypeBoolean,
		NameField:    f.Name == obj.NameField, IDLookup: f.Type == TypeID,
		PolymorphicForeignKey: len(f.ReferenceTo) > 1, CascadeDelete: f.CascadeDelete, ReferenceTo: v.readable(f.ReferenceTo),
		RestrictedPicklist: f.Restricted, PicklistValues: []picklistValue{},
	}
	if t, ok := soapTypes[f.Type]; ok {
		d.SOAPType = t
	}
	if f.Type == TypeInt {
		d.Precision, d.Digits = 0, f.Precision
	}
	if f.Type == TypeTextArea {
		kind := "plaintextarea"
		d.ExtraTypeInfo = &kind
	}
	if f.Relationship != "" {
		d.RelationshipName = &f.Relationship
	}
	if f.Help != "" {
		d.InlineHelpText = &f.Help
	}
	for _, value := range values {
		d.PicklistValues = append(d.PicklistValues, picklistValue{Active: true, DefaultValue: value == f.Default, Label: value, Value: value})
	}
	return d
}

// readable returns those of some sObjects that the user may read.
func (v view) readable(objects []string) []string {
	return slices.DeleteFunc(slices.Clone(objects), func(name string) bool { return v.object(name) == nil })
}

// picklistValues returns the values of a picklist. Those of a stage are the org's settings.
func picklistValues(ctx context.Context, db sqlx.QueryerContext, f *Field) ([]string, error) {
	if f.Name != "StageName" {
		return f.Values, nil
	}
	var names []string
	err := sqlx.SelectContext(ctx, db, &names, "SELECT ApiName FROM OpportunityStage WHERE IsActive AND NOT IsDeleted ORDER BY SortOrder, Id")
	if err != nil {
		return nil, fmt.Errorf("stages: %w", err)
	}
	return names, nil
}

func (o *Org) describeRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /services/data", o.handleVersions)
	mux.Handle("GET /services/data/{version}", o.authenticated(o.handleResources))
	mux.Handle("GET /services/data/{version}/limits", o.authenticated(o.handleLimits))
	mux.Handle("GET /services/data/{version}/sobjects", o.authenticated(o.handleDescribeGlobal))
	mux.Handle("GET /services/data/{version}/sobjects/{object}", o.authenticated(o.handleBasicInformation))
	mux.Handle("GET /services/data/{version}/sobjects/{object}/describe", o.authenticated(o.handleDescribe))
}

func (o *Org) handleVersions(w http.ResponseWriter, _ *http.Request) {
	type version struct {
		Label   string `json:"label"`
		URL     string `json:"url"`
		Version string `json:"version"`
	}
	var versions []version
	seasons := []string{"Winter", "Spring", "Summer"}
	for n := firstVersion; n <= lastVersion; n++ {
		// Three releases a year; 62.0 was Winter '25.
		label := fmt.Sprintf("%s '%02d", seasons[(n-62+60)%3], 25+(n-62+60)/3-20)
		versions = append(versions, version{label, fmt.Sprintf("/services/data/v%d.0", n), fmt.Sprintf("%d.0", n)})
	}
	writeJSON(w, http.StatusOK, versions)
}

func (o *Org) handleResources(w http.ResponseWriter, r *http.Request, _ user, version string) {
	resources := map[string]string{"identity": identityURL(r)}
	for _, name := range []string{"sobjects", "query", "queryAll", "composite", "jobs", "limits", "tooling", "ui-api"} {
		resources[name] = "/services/data/v" + version + "/" + name
	}
	writeJSON(w, http.StatusOK, resources)
}

func (o *Org) handleLimits(w http.ResponseWriter, _ *http.Request, _ user, _ string) {
	type limit struct{ Max, Remaining int }
	writeJSON(w, http.StatusOK, map[string]limit{
		"DailyApiRequests":              {dailyCalls, max(0, dailyCalls-o.calls.used(o.now()))},
		"DailyBulkApiBatches":           {15_000, 15_000},
		"DailyBulkV2QueryJobs":          {10_000, 10_000},
		"DailyBulkV2QueryFileStorageMB": {976_562, 976_562},
		"DataStorageMB":                 {10_240, 10_000},
		"FileStorageMB":                 {10_240, 10_000},
	})
}

func (o *Org) handleDescribeGlobal(w http.ResponseWriter, r *http.Request, u user, version string) {
	objects := []objectDescription{}
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		for _, obj := range o.objects {
			if view.access(obj).read {
				objects = append(objects, view.describeObject(obj, version))
			}
		}
		return err
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	slices.SortFunc(objects, func(a, b objectDescription) int { return strings.Compare(a.Name, b.Name) })
	writeJSON(w, http.StatusOK, map[string]any{"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})
}

func (o *Org) handleBasicInformation(w http.ResponseWriter, r *http.Request, u user, version string) {
	var description objectDescription
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj := view.object(r.PathValue("object"))
		if obj == nil {
			return errNoResource
		}
		description = view.describeObject(obj, version)
		return nil
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"objectDescribe": &description, "recentItems": []any{}})
}

func (o *Org) handleDescribe(w http.ResponseWriter, r *http.Request, u user, version string) {
	var description struct {
		objectDescription  `json:",inline"`
		Fields             []fieldDescription  `json:"fields"`
		ChildRelationships []childRelationship `json:"childRelationships"`
		RecordTypeInfos    []any               `json:"recordTypeInfos"`
	}
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj := view.object(r.PathValue("object"))
		if obj == nil {
			return errNoResource
		}
		description.objectDescription = view.describeObject(obj, version)
		for _, f := range obj.Fields {
			if !view.sees(obj, f) {
				continue
			}
			values, err := picklistValues(r.Context(), db, f)
			if err != nil {
				return err
			}
			description.Fields = append(description.Fields, view.describe(obj, f, values))
		}
		for _, child := range o.objects {
			if !view.access(child).read {
				continue
			}
			for _, f := range child.Fields {
				if !slices.Contains(f.ReferenceTo, obj.Name) || !view.sees(child, f) {
					continue
				}
				c := childRelationship{ChildSObject: child.Name, Field: f.Name, CascadeDelete: f.CascadeDelete}
				if f.Children != "" {
					c.RelationshipName = &f.Children
				}
				description.ChildRelationships = append(description.ChildRelationships, c)
			}
		}
		return nil
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusOK, &description)
}
