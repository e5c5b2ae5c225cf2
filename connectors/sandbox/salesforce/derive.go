package salesforce

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// derive sets the fields of a row that follow from others. old is the row before the change, nil on create.
func (t *tx) derive(ctx context.Context, obj *Object, old, row map[string]any) error {
	switch obj.Name {
	case "Opportunity":
		return t.deriveOpportunity(ctx, old, row)
	case "Contact":
		derivePerson(row)
		row["IsEmailBounced"] = boolValue(row["EmailBouncedDate"] != nil)
	case "User":
		derivePerson(row)
	case "Task":
		t.deriveTask(row)
		return t.deriveAccount(ctx, row)
	case "Event":
		deriveEvent(row)
		return t.deriveAccount(ctx, row)
	case "Contract":
		if row["ContractNumber"] == nil {
			row["ContractNumber"] = fmt.Sprintf("%08d", t.org.serials[obj.KeyPrefix])
		}
	}
	return nil
}

func derivePerson(row map[string]any) {
	var parts []string
	for _, name := range []string{"FirstName", "LastName"} {
		if s, ok := row[name].(string); ok {
			parts = append(parts, s)
		}
	}
	row["Name"] = strings.Join(parts, " ")
}

func (t *tx) deriveTask(row map[string]any) {
	closed := row["Status"] == "Completed"
	switch {
	case !closed:
		row["CompletedDateTime"] = nil
	case row["CompletedDateTime"] == nil:
		row["CompletedDateTime"] = t.now.Format(storedTime)
	}
	row["IsClosed"], row["IsHighPriority"] = boolValue(closed), boolValue(row["Priority"] == "High")
}

// deriveEvent keeps an event's start, end and length together.
func deriveEvent(row map[string]any) {
	if row["StartDateTime"] == nil {
		row["StartDateTime"] = row["ActivityDateTime"]
	}
	row["ActivityDateTime"] = row["StartDateTime"]
	start, err := time.Parse(storedTime, fmt.Sprint(row["StartDateTime"]))
	if err != nil {
		return
	}
	row["ActivityDate"] = start.Format(storedDate)
	if end, err := time.Parse(storedTime, fmt.Sprint(row["EndDateTime"])); err == nil {
		row["DurationInMinutes"] = int64(end.Sub(start) / time.Minute)
	} else if minutes, ok := row["DurationInMinutes"].(int64); ok {
		row["EndDateTime"] = start.Add(time.Duration(minutes) * time.Minute).Format(storedTime)
	}
	if end, ok := row["EndDateTime"].(string); ok {
		row["EndDate"] = end[:len(storedDate)]
	}
}

// deriveAccount sets the account that an activity is about, directly or over its opportunity, contract or contact.
func (t *tx) deriveAccount(ctx context.Context, row map[string]any) error {
	row["AccountId"] = nil
	for _, name := range []string{"WhatId", "WhoId"} {
		id, ok := row[name].(string)
		if !ok {
			continue
		}
		obj := t.org.objectOfID(id)
		switch {
		case obj == nil:
			continue
		case obj.Name == "Account":
			row["AccountId"] = id
			return nil
		}
		statement, err := t.prepare(ctx, fmt.Sprintf("SELECT AccountId FROM %s WHERE Id = ?", obj.Name))
		if err != nil {
			return err
		}
		var account *string
		if err := statement.QueryRowContext(ctx, id).Scan(&account); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("account of %s: %w", id, err)
		}
		if account != nil {
			row["AccountId"] = *account
			return nil
		}
	}
	return nil
}

// stored returns a row as it is stored; nil: there is none of that id.
func (t *tx) stored(ctx context.Context, obj *Object, id string) (map[string]any, error) {
	row := map[string]any{}
	rows, err := t.QueryxContext(ctx, fmt.Sprintf("SELECT * FROM %s WHERE Id = ?", obj.Name), id)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", obj.Name, id, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	return row, sqlx.MapScan(rows, row)
}
