"""Study, execution, warm kernels: the only room that speaks Papermill."""
