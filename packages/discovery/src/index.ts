export type { Choice, ChoiceEnd, Outcome } from './choice.js'
export type { Endpoint, EndpointInput, Health } from './endpoint.js'
export type { LaneResolver } from './resolver.js'
export type { Source, SourceListener } from './source.js'
