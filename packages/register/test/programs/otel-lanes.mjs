import './otel-lanes.cjs'
