package connectors

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mapping proposes to read a deal fact from a field that Sales fills in.
type Mapping struct {
	Fact  string // neutral name
	Field FieldUse
}

// Sparse reports whether a field is filled in on so few of the profile's deals that nothing can be expected of it.
func (p Profile) Sparse(f FieldUse) bool {
	const percent = 5
	return f.Filled*100 < p.Deals*percent
}

// Propose returns a field for each of the facts that is read from no field yet, or only from sparse ones, in the order
// of facts. A field is proposed where its label, as people read it, names the fact and nothing else; its API name counts
// where the label is in words that we do not know. The fullest such field wins. None is sparse or feeds a fact already.
func Propose(p Profile, facts []string) []Mapping {
	fed := map[string]bool{}
	best := map[string]Mapping{}
	for _, f := range p.Fields {
		switch fact := factOf(f); {
		case p.Sparse(f):
		case f.Feeds != "":
			fed[f.Feeds] = true
		case fact != "" && f.Filled > best[fact].Field.Filled:
			best[fact] = Mapping{fact, f}
		}
	}
	var proposed []Mapping
	for _, fact := range facts {
		if m, found := best[fact]; found && !fed[fact] {
			proposed = append(proposed, m)
		}
	}
	return proposed
}

// factOf returns the neutral name of the fact that a field holds by what it is called; "": none that we know.
func factOf(f FieldUse) string {
	label := words(f.Label)
	fact := factNamed[key(label)]
	if fact != "" || slices.ContainsFunc(label, func(w string) bool { return telling[w] }) {
		return fact
	}
	return factNamed[key(words(f.Name))]
}

// synonyms are what sales teams call the facts of a deal. A field holds a fact where one of these is all that it is
// called, but for fillers; the order of words and the plural do not matter.
var synonyms = map[string][]string{
	"arr": {"ARR", "annual recurring revenue", "annual recurring revenue ARR", "ACV", "annual contract value", "annual contract value ACV"},
	"term_months": {"term months", "contract term", "contract term months", "contract length", "contract length months", "contract duration",
		"contract duration months", "subscription term", "subscription term months", "initial term", "initial term months"},
	"csm": {"CSM", "CSM owner", "success manager", "success manager CSM", "success owner"},
	"csm_assigned_at": {"CSM assigned date", "CSM assigned on", "CSM assignment date", "date CSM assigned", "success manager assigned date",
		"success manager assigned on"},

	"use_case":         {"use case", "business use case", "intended use", "planned use", "jobs to be done"},
	"business_problem": {"business problem", "problem", "problem statement", "problem to solve", "business challenge", "challenges", "business issue", "business needs", "needs"},
	"compelling_event": {"compelling event", "compelling reason to act", "reason to act", "why now", "trigger", "trigger event", "buying trigger", "critical event", "business driver"},
	"objections":       {"objections", "objections raised", "near loss", "risks and objections", "hurdles", "obstacles", "hesitations"},
	"competitors": {"competitors", "competitors considered", "competitors evaluated", "competing vendors", "competing products", "alternatives",
		"alternatives considered", "incumbent", "incumbent vendor", "rivals", "vendors evaluated", "vendors considered"},

	"champion":           {"champion", "internal champion", "coach", "internal sponsor"},
	"executive_sponsor":  {"executive sponsor", "exec sponsor", "sponsor", "senior sponsor"},
	"day_to_day_contact": {"day to day contact", "daily contact", "project contact", "working contact", "operational contact", "implementation contact", "onboarding contact"},
	"detractors":         {"detractors", "objectors", "opponents", "internal opponents", "sceptics", "skeptics"},

	"integration_requirements": {"integrations", "integration requirements", "integration needs", "required integrations", "integrations needed", "systems to integrate",
		"technical requirements"},
	"custom_configuration": {"custom configuration", "custom config", "customisations", "customizations", "custom requirements", "configuration requirements",
		"custom work", "custom development"},
	"implementation_timeline": {"implementation timeline", "implementation plan", "timeline", "rollout plan", "rollout timeline", "go live", "go live date", "go live target",
		"target go live date", "expected go live", "expected go live date", "planned go live date", "target launch date"},
	"it_readiness": {"IT readiness", "technical readiness", "IT requirements", "IT prerequisites", "technical prerequisites", "security review", "IT security review"},

	"success_criteria": {"success criteria", "success metrics", "success measures", "definition of success", "desired outcomes", "expected outcomes", "business outcomes",
		"goals", "business goals", "objectives", "business objectives", "KPIs", "success KPIs"},
	"nonstandard_promises": {"nonstandard promises", "non standard promises", "promises", "promises made", "special promises", "commitments made", "side agreements",
		"nonstandard terms", "non standard terms", "special terms", "special conditions"},
	"go_live_milestone":  {"go live milestone", "milestone", "first milestone", "first value milestone", "onboarding milestone", "project milestone"},
	"pricing_exceptions": {"pricing exceptions", "discount reason", "discount justification", "special pricing", "nonstandard pricing", "non standard pricing", "pricing concessions"},

	"description": {"description", "summary", "notes", "deal description", "deal summary", "deal notes", "sales notes", "opportunity notes", "handover notes", "background"},
	"next_step":   {"next step", "next action"},

	"metrics":           {"metrics", "quantified impact", "value metrics", "business metrics"},
	"economic_buyer":    {"economic buyer", "economic buyer EB", "decision maker", "budget holder", "budget owner", "financial buyer"},
	"decision_criteria": {"decision criteria", "buying criteria", "evaluation criteria", "selection criteria", "purchase criteria"},
	"decision_process":  {"decision process", "decision making process", "buying process", "evaluation process", "approval process"},
	"paper_process":     {"paper process", "procurement", "procurement process", "legal process", "contracting process", "signature process"},
	"identify_pain":     {"identify pain", "identified pain", "pain", "pain points", "business pain", "implicate the pain", "implicated pain"},
	"competition":       {"competition", "competitive landscape", "competitive situation"},
}

// Words that leave the meaning of a name as it is. Connectives never count; fillers count only in a name of fillers
// alone, such as "Deal notes".
var (
	connectives = set("an and or of the for to in on at with by is are this our their")
	fillers     = set(`deal opportunity opp sale customer client prospect account main primary key major top current known
		note detail comment description summary info information text list name meddic meddicc meddpicc`)
)

func set(list string) map[string]bool {
	members := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		members[w] = true
	}
	return members
}

// factNamed holds the fact that a name stands for, by the name's key.
var factNamed = func() map[string]string {
	named := map[string]string{}
	for fact, names := range synonyms {
		for _, name := range names {
			named[key(words(name))] = fact
		}
	}
	return named
}()

// telling are the words of which some name of a fact is made.
var telling = func() map[string]bool {
	members := map[string]bool{}
	for k := range factNamed {
		maps.Copy(members, set(k))
	}
	return members
}()

// key is the same for names that mean the same.
func key(words []string) string {
	meant := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return fillers[w] })
	if len(meant) == 0 {
		meant = slices.Clone(words)
	}
	slices.Sort(meant)
	return strings.Join(slices.Compact(meant), " ")
}

// words takes a label or an API name apart into stems of words, without connectives and single characters.
func words(name string) []string {
	var split []string
	for part := range strings.FieldsFuncSeq(apart(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if w := strings.ToLower(part); utf8.RuneCountInString(w) > 1 && !connectives[w] {
			split = append(split, stem(w))
		}
	}
	return split
}

// apart drops what Salesforce adds to an API name, the suffix of custom fields and a package's prefix, and puts a space
// in front of each capital inside a word.
func apart(name string) string {
	if bare, custom := strings.CutSuffix(name, "__c"); custom {
		_, own, packaged := strings.Cut(bare, "__")
		if name = bare; packaged {
			name = own
		}
	}
	var b strings.Builder
	var last rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// stem is the same for the singular and the plural of a word.
func stem(word string) string {
	if word == "criteria" {
		word = "criterion"
	}
	return strings.TrimSuffix(word, "s")
}
