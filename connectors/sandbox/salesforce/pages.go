package salesforce

import "net/http"

func (o *Org) pageRoutes(mux *http.ServeMux) {}
