package salesforce

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// stage says what a StageName means. Labels are per org: only these settings tell whether a deal is won.
type stage struct {
	Name             string  `db:"ApiName"`
	ForecastCategory string  `db:"ForecastCategory"`
	Probability      float64 `db:"DefaultProbability"`
	Closed           bool    `db:"IsClosed"`
	Won              bool    `db:"IsWon"`
}

// row returns s as a row of OpportunityStage.
func (s stage) row(order int) map[string]any {
	return map[string]any{
		"ApiName": s.Name, "MasterLabel": s.Name, "SortOrder": order, "IsClosed": s.Closed, "IsWon": s.Won,
		"ForecastCategory": s.ForecastCategory, "ForecastCategoryName": s.ForecastCategory, "DefaultProbability": s.Probability,
	}
}

// stage returns the settings of a stage; a name that is none of the org's stages is an open one.
func (t *tx) stage(ctx context.Context, name string) (stage, error) {
	stages, err := t.org.stages.get(func() (map[string]stage, error) {
		var rows []stage
		err := sqlx.SelectContext(ctx, t, &rows, `
			SELECT ApiName, ForecastCategory, DefaultProbability, IsClosed, IsWon FROM OpportunityStage WHERE NOT IsDeleted`)
		if err != nil {
			return nil, fmt.Errorf("load stages: %w", err)
		}
		byName := map[string]stage{}
		for _, s := range rows {
			byName[strings.ToLower(s.Name)] = s
		}
		return byName, nil
	})
	if s, ok := stages[strings.ToLower(name)]; ok {
		return s, err
	}
	return stage{Name: name, ForecastCategory: "Pipeline"}, err
}

// deriveOpportunity sets what follows from the stage, the amount and the close date. old is nil on create.
func (t *tx) deriveOpportunity(ctx context.Context, old, row map[string]any) error {
	name, _ := row["StageName"].(string)
	if old == nil || old["StageName"] != row["StageName"] {
		s, err := t.stage(ctx, name)
		if err != nil {
			return err
		}
		row["IsClosed"], row["IsWon"] = boolValue(s.Closed), boolValue(s.Won)
		row["ForecastCategory"], row["ForecastCategoryName"] = s.ForecastCategory, s.ForecastCategory
		if old == nil && row["Probability"] == nil || old != nil && old["Probability"] == row["Probability"] {
			row["Probability"] = s.Probability
		}
		if old != nil {
			row["LastStageChangeDate"] = t.now.Format(storedTime)
		}
	}
	row["ExpectedRevenue"] = nil
	if amount, ok := row["Amount"].(float64); ok {
		probability, _ := row["Probability"].(float64)
		row["ExpectedRevenue"] = amount * probability / 100
	}
	if closes, err := time.Parse(storedDate, fmt.Sprint(row["CloseDate"])); err == nil {
		quarter := (int64(closes.Month()) + 2) / 3
		row["FiscalYear"], row["FiscalQuarter"] = int64(closes.Year()), quarter
		row["Fiscal"] = fmt.Sprintf("%d %d", closes.Year(), quarter)
	}
	return nil
}

func boolValue(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// recordHistory writes what Salesforce keeps of a saved opportunity: a row of OpportunityHistory on create and whenever
// a figure of the forecast changes, and a row of OpportunityFieldHistory for each change of a tracked field. old is nil
// on create.
func (t *tx) recordHistory(ctx context.Context, u user, obj *Object, old, row map[string]any) error {
	if obj.Name != "Opportunity" {
		return nil
	}
	sys := system{CreatedByID: u.ID}
	forecast := []string{"StageName", "Amount", "CloseDate", "Probability", "ExpectedRevenue", "ForecastCategory"}
	changed := old == nil
	for _, name := range forecast {
		changed = changed || old[name] != row[name]
	}
	if changed {
		h := map[string]any{"OpportunityId": row["Id"], "CurrencyIsoCode": row["CurrencyIsoCode"]}
		for _, name := range forecast {
			h[name] = row[name]
		}
		if old != nil {
			h["PrevAmount"], h["PrevCloseDate"] = old["Amount"], old["CloseDate"]
		}
		if _, err := t.create(ctx, t.org.object("OpportunityHistory"), h, sys); err != nil {
			return err
		}
	}

	history := t.org.object("OpportunityFieldHistory")
	add := func(field, dataType string, before, after any) error {
		_, err := t.create(ctx, history, map[string]any{"OpportunityId": row["Id"], "Field": field, "DataType": dataType, "OldValue": before, "NewValue": after}, sys)
		return err
	}
	if old == nil {
		return add("created", "Text", nil, nil)
	}
	for _, f := range obj.Fields {
		before, after := old[f.Name], row[f.Name]
		if !f.TrackHistory || before == after {
			continue
		}
		if err := t.recordChange(ctx, f, before, after, add); err != nil {
			return err
		}
	}
	return nil
}

// recordChange adds the rows of one field's change. A lookup leaves two: one with names, one with ids; long text leaves
// one without values. The owner's is called "Owner".
// https://help.salesforce.com/s/articleView?id=xcloud.tracking_field_history.htm
func (t *tx) recordChange(ctx context.Context, f *Field, before, after any, add func(field, dataType string, before, after any) error) error {
	switch {
	case f.Type == TypeReference:
		field := f.Name
		if field == "OwnerId" {
			field = "Owner"
		}
		var names [2]any
		for i, id := range []any{before, after} {
			if id == nil {
				continue
			}
			var name *string
			if err := sqlx.GetContext(ctx, t, &name, fmt.Sprintf("SELECT Name FROM %s WHERE Id = ?", f.ReferenceTo[0]), id); err != nil {
				return fmt.Errorf("name of %v: %w", id, err)
			}
			if name != nil {
				names[i] = *name
			}
		}
		if err := add(field, "Text", names[0], names[1]); err != nil {
			return err
		}
		return add(field, "EntityId", before, after)
	case f.LongText():
		return add(f.Name, "Text", nil, nil)
	}
	return add(f.Name, historyTypes[f.Type], before, after)
}

// historyTypes names types of fields as OpportunityFieldHistory.DataType does.
var historyTypes = map[FieldType]string{
	TypeString: "Text", TypeTextArea: "Text", TypePicklist: "DynamicEnum", TypeBoolean: "Boolean", TypeInt: "Integer",
	TypeDouble: "Double", TypePercent: "Percent", TypeCurrency: "Currency", TypeDate: "DateOnly", TypeDateTime: "DateTime",
	TypeEmail: "Email", TypePhone: "Phone", TypeURL: "Url",
}
