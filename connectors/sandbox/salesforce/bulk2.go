package salesforce

import "net/http"

func (o *Org) bulkRoutes(mux *http.ServeMux) {}
