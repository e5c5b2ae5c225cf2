package salesforce

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/jmoiron/sqlx"

	"handoff/connectors"
)

// bulkQuery reads all rows of one object that a sweep needs.
type bulkQuery struct {
	object string
	soql   string
	all    bool                       // archived rows as well, and deleted ones
	parent string                     // column by which a row is found
	place  string                     // column that rows of one parent are sorted by, before Id; "": by Id alone
	kind   func(column string) string // type of a column as describe names it; "": not known
}

// bulkQueries are what a sweep over the deals of that scope reads. Deals come first: without them the rest is of no use.
func (r *reader) bulkQueries(scope string) []bulkQuery {
	deals := bulkQuery{object: opportunity, soql: selectFrom(opportunity, r.schema.columns, scope, ""), parent: "Id", place: "CloseDate"}
	queries := []bulkQuery{deals}
	for _, s := range []source{contactRoles, legacyNotes, tasks, events, emails, stages, r.tracked(), noteLinks, invitees, contentNotes} {
		if d := r.schema.objects[s.object]; d != nil && d.off() {
			continue
		}
		place, _, _ := strings.Cut(s.order, ",")
		columns, _ := r.schema.choose(s.object, s.columns)
		for _, column := range []string{"Id", place} {
			if column != "" && !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
		}
		condition := s.all
		if condition == "" {
			condition = s.parent + " IN (" + selectFrom(opportunity, []string{"Id"}, scope, "") + ")"
		}
		queries = append(queries, bulkQuery{object: s.object, soql: selectFrom(s.object, columns, all(condition, s.where), ""), all: s.archived, parent: s.parent, place: place})
	}
	for i := range queries {
		queries[i].kind = func(column string) string { return r.schema.kind(queries[i].object, column) }
	}
	return queries
}

// fill reads all that a sweep needs into the spool, as far as Bulk API serves it; the rest is read by REST. It returns an
// error when deals cannot be read in bulk, and when ctx ends.
func (r *reader) fill(ctx context.Context, sp *spool, scope string) error {
	queries := r.bulkQueries(scope)
	deals := queries[0].object
	for _, q := range queries { // all of them at work at the same time
		if err := r.start(ctx, sp, q); err != nil {
			return err
		}
		if j, err := sp.job(ctx, deals); err != nil || j.State == jobGivenUp {
			return errors.Join(err, errNoBulk)
		}
	}
	for _, q := range queries {
		if err := r.fetch(ctx, sp, q); err != nil {
			return err
		}
		if !sp.fetched[deals] {
			for _, other := range queries[1:] {
				if j, err := sp.job(ctx, other.object); err == nil && j.State == jobRunning {
					r.forget(ctx, j.ID, false)
				}
			}
			return errNoBulk
		}
	}
	return nil
}

var errNoBulk = errors.New("deals cannot be read in bulk")

// start makes the job of a query, unless a sweep that was killed has.
func (r *reader) start(ctx context.Context, sp *spool, q bulkQuery) error {
	j, err := sp.job(ctx, q.object)
	if err != nil || j.State != "" {
		return err
	}
	var id string
	err = r.patiently(ctx, func(int) (err error) {
		id, err = r.startJob(ctx, q)
		return err
	})
	if err != nil {
		return r.giveUp(ctx, sp, q, err)
	}
	return sp.keep(ctx, q.object, job{ID: id, State: jobRunning}, nil)
}

// fetch reads the results of a job, from where a sweep that was killed left off, and deletes it.
func (r *reader) fetch(ctx context.Context, sp *spool, q bulkQuery) error {
	j, err := sp.job(ctx, q.object)
	if err != nil {
		return err
	}
	sp.fetched[q.object] = j.State == jobRead
	if j.State != jobRunning {
		return nil
	}
	if err := r.awaitJob(ctx, j.ID); err != nil {
		return r.giveUp(ctx, sp, q, err)
	}
	for j.State == jobRunning {
		err := r.patiently(ctx, func(failed int) error {
			rows := max(r.cfg.BulkRows>>failed, 1) // a line may be too slow for a large page
			return r.jobPage(ctx, j.ID, j.Locator, rows, func(p csvPage) error {
				next := job{ID: j.ID, Locator: p.next, State: jobRunning}
				if p.next == "" {
					next.State = jobRead
				}
				err := sp.keep(ctx, q.object, next, func(tx *sqlx.Tx) error { return q.insert(ctx, tx, p) })
				if err == nil {
					j = next
				}
				return err
			})
		})
		if err != nil {
			return r.giveUp(ctx, sp, q, err)
		}
	}
	r.forget(ctx, j.ID, true)
	return nil
}

// patiently does what may fail for some minutes before it gives up: reading in bulk is worth it. do is told how often it failed.
func (r *reader) patiently(ctx context.Context, do func(failed int) error) error {
	for failed := 0; ; failed++ {
		err := do(failed)
		if !temporary(err) || over(ctx, err) || failed == maxPatience {
			return err
		}
		if err := r.sleep(ctx, lastPoll); err != nil {
			return err
		}
	}
}

// maxPatience is how often a call that is tried patiently is sent anew, each time with the retries of any call.
const maxPatience = 10

// giveUp leaves an object to REST: no quota is left for bulk jobs, the job failed or got stuck, its results are gone. Where
// that would fare no better, because Salesforce does not answer or the calls of the day are spent, it returns why, and what is
// read so far stays for the next run.
func (r *reader) giveUp(ctx context.Context, sp *spool, q bulkQuery, why error) error {
	if over(ctx, why) {
		return why
	}
	j, err := sp.job(ctx, q.object)
	if err != nil {
		return err
	}
	if j.State == jobRunning {
		if _, _, down := r.jobState(ctx, j.ID); temporary(down) || errors.Is(down, connectors.ErrQuota) {
			return down
		}
	}
	r.log.WarnContext(ctx, "read by REST instead of in bulk", "object", q.object, "why", why)
	if j.State == jobRunning {
		r.forget(ctx, j.ID, false)
	}
	return sp.keep(ctx, q.object, job{State: jobGivenUp}, nil)
}

// forget deletes a job. Salesforce does so itself after a week.
func (r *reader) forget(ctx context.Context, id string, ended bool) {
	if err := r.dropJob(ctx, id, ended); err != nil {
		r.log.InfoContext(ctx, "a bulk job stays behind until Salesforce deletes it", "job", id, "why", err)
	}
}

// insert saves the rows of a page.
func (q bulkQuery) insert(ctx context.Context, tx *sqlx.Tx, p csvPage) (err error) {
	into, err := tx.PreparexContext(ctx, "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	lines := csv.NewReader(p.csv)
	columns, err := lines.Read()
	if errors.Is(err, io.EOF) && p.records == 0 {
		return nil
	}
	for n := 0; err == nil; n++ {
		var cells []string
		if cells, err = lines.Read(); errors.Is(err, io.EOF) && n == p.records {
			return nil
		}
		if err != nil {
			break
		}
		r := record{}
		if err = r.read(columns, cells, q.kind); err != nil {
			break
		}
		data, err := json.Marshal(r.values)
		if err != nil {
			return fmt.Errorf("write the spool: %w", err)
		}
		if _, err := into.ExecContext(ctx, q.object, r.text[q.parent], r.text[q.place], r.text["Id"], data); err != nil {
			return fmt.Errorf("write the spool: %w", err)
		}
	}
	if bad := (*csv.ParseError)(nil); errors.Is(err, io.EOF) || errors.As(err, &bad) || errors.Is(err, strconv.ErrSyntax) {
		return connectors.Garbled(crmName, opBulk, err)
	}
	return connectors.Unreachable(ctx, crmName, opBulk, err)
}

// record is a row of CSV in the form in which REST answers it.
type record struct {
	values map[string]any    // "Account.Name" lies below "Account"; null is absent
	text   map[string]string // the cells by column
}

func (r *record) read(columns, cells []string, kind func(string) string) error {
	r.values, r.text = map[string]any{}, make(map[string]string, len(columns))
	for i, column := range columns {
		cell := cells[i]
		if r.text[column] = cell; cell == "" {
			continue
		}
		var v any = cell
		var err error
		switch kind(column) {
		case "double", "currency", "percent", "int", "long":
			v, err = strconv.ParseFloat(cell, 64)
		case "boolean":
			v, err = strconv.ParseBool(cell)
		}
		if err != nil {
			return err
		}
		way := strings.Split(column, ".")
		in := r.values
		for _, parent := range way[:len(way)-1] {
			up, ok := in[parent].(map[string]any)
			if !ok {
				up = map[string]any{}
				in[parent] = up
			}
			in = up
		}
		in[way[len(way)-1]] = v
	}
	return nil
}
