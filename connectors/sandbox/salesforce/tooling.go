package salesforce

import "net/http"

func (o *Org) toolingRoutes(mux *http.ServeMux) {}
