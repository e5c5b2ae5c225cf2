package hubspot

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// pipeline is a way that deals go, in the form of the API.
type pipeline struct {
	ID           string  `json:"id"`
	Label        string  `json:"label"`
	DisplayOrder int     `json:"displayOrder"`
	Stages       []stage `json:"stages"`
	CreatedAt    string  `json:"createdAt"`
	UpdatedAt    string  `json:"updatedAt"`
	Archived     bool    `json:"archived"`
}

type stage struct {
	ID               string        `json:"id"`
	Label            string        `json:"label"`
	DisplayOrder     int           `json:"displayOrder"`
	Metadata         stageMetadata `json:"metadata"`
	CreatedAt        string        `json:"createdAt"`
	UpdatedAt        string        `json:"updatedAt"`
	Archived         bool          `json:"archived"`
	WritePermissions string        `json:"writePermissions,omitempty"` // in dated versions only
}

// stageMetadata says what a stage means: a deal there is won where it is closed and the probability is 1.
type stageMetadata struct {
	IsClosed    string `json:"isClosed"`
	Probability string `json:"probability"`
}

func (m stageMetadata) closed() bool { return m.IsClosed == "true" }

func (m stageMetadata) won() bool { return m.closed() && m.Probability == "1.0" }

// newStage is a stage to add.
type newStage struct {
	ID          string // lower-case letters and digits
	Label       string
	Closed      bool
	Probability float64 // 0 to 1
}

func probability(p float64) string {
	s := strconv.FormatFloat(p, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// stage returns the stage of that id; nil: there is none.
func (p *Portal) stage(id string) *stage {
	for _, l := range p.pipelines {
		if i := slices.IndexFunc(l.Stages, func(s stage) bool { return s.ID == id }); i >= 0 {
			return &l.Stages[i]
		}
	}
	return nil
}

// pipelineOf returns the id of the pipeline that a stage belongs to, "" where there is none.
func (p *Portal) pipelineOf(stageID string) string {
	for _, l := range p.pipelines {
		if slices.ContainsFunc(l.Stages, func(s stage) bool { return s.ID == stageID }) {
			return l.ID
		}
	}
	return ""
}

func (p *Portal) pipelineRoutes(mux *http.ServeMux, v version) {
	path := v.path("pipelines") + "/{object}"
	p.handle(mux, v, "GET "+path, p.listPipelines)
	p.handle(mux, v, "GET "+path+"/{pipeline}", p.getPipeline)
}

func (p *Portal) listPipelines(r *request) (int, any, error) {
	answer := struct {
		Results []pipeline `json:"results"`
	}{Results: []pipeline{}}
	o, err := p.definitionsOf(r)
	if err != nil || o.Name != "deals" {
		return http.StatusOK, answer, err
	}
	err = p.read(func() error {
		for _, l := range p.pipelines {
			answer.Results = append(answer.Results, l.in(r.version))
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func (p *Portal) getPipeline(r *request) (int, any, error) {
	o, err := p.definitionsOf(r)
	if err != nil {
		return 0, nil, err
	}
	var found pipeline
	err = p.read(func() error {
		i := slices.IndexFunc(p.pipelines, func(l *pipeline) bool { return o.Name == "deals" && l.ID == r.PathValue("pipeline") })
		if i < 0 {
			return notFound("resource not found")
		}
		found = p.pipelines[i].in(r.version)
		return nil
	})
	return http.StatusOK, found, err
}

// in returns the pipeline as a version of the API shows it.
func (l *pipeline) in(v version) pipeline {
	shown := *l
	shown.Stages = slices.Clone(l.Stages)
	if v != "v3" {
		for i := range shown.Stages {
			shown.Stages[i].WritePermissions = "CRM_PERMISSIONS_ENFORCEMENT"
		}
	}
	return shown
}
