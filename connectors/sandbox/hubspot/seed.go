package hubspot

import "context"

// defaultPipeline is the id of the pipeline that a portal has from the start.
const defaultPipeline = "default"

// standardStages are the stages of a new portal, in their order.
var standardStages = []newStage{
	{"appointmentscheduled", "Appointment Scheduled", false, 0.2},
	{"qualifiedtobuy", "Qualified To Buy", false, 0.4},
	{"presentationscheduled", "Presentation Scheduled", false, 0.6},
	{"decisionmakerboughtin", "Decision Maker Bought-In", false, 0.8},
	{"contractsent", "Contract Sent", false, 0.9},
	{"closedwon", "Closed Won", true, 1},
	{"closedlost", "Closed Lost", true, 0},
}

// seed adds who and what a portal holds from the start.
func seed(ctx context.Context, t *tx) error {
	t.addOwner(newOwner{Email: "casey@sandbox.example", FirstName: pageUserFirst, LastName: pageUserLast}) // pageUser
	t.addPipeline(defaultPipeline, "Sales Pipeline")
	for _, s := range standardStages {
		if err := t.addStage(ctx, defaultPipeline, s); err != nil {
			return err
		}
	}
	return nil
}
