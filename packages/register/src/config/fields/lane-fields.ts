import type { Field } from './field.js'

/** Which lanes are read, believed and sent. */
export const LANE_FIELDS = {
  propagateTo: {
    variable: 'LANEWAY_PROPAGATE_TO',
    kind: 'list',
    meaning: 'hosts outside that get the tag',
    fallback: 'none',
  },
  keepHandSet: {
    variable: 'LANEWAY_KEEP_HAND_SET',
    kind: 'flag',
    meaning: 'leave a tag that the code itself set for a host outside',
    fallback: 'off',
  },
  trust: {
    variable: 'LANEWAY_TRUST',
    kind: ['private', 'internal', 'edge'],
    meaning: 'whose tags are believed: those of private peers, everybody’s (`internal`), nobody’s (`edge`)',
    fallback: '`private`',
  },
  header: { variable: 'LANEWAY_HEADER', kind: 'text', meaning: 'the header', fallback: '`x-mse-tag`' },
  formats: {
    variable: 'LANEWAY_FORMATS',
    kind: 'list',
    meaning: 'carriers to read, in order: `header`, `mse-baggage`, `baggage`',
    fallback: '`header,mse-baggage,baggage`',
  },
  baggage: {
    variable: 'LANEWAY_BAGGAGE',
    kind: 'flag',
    meaning: 'also write the lane into the W3C `baggage` header of calls in scope',
    fallback: 'off',
  },
  ownLane: {
    variable: 'LANEWAY_OWN_LANE',
    kind: ['ignore', 'colour'],
    meaning: '`colour`: untagged work here runs in the own lane',
    fallback: '`ignore`',
  },
  rules: {
    variable: 'LANEWAY_RULES',
    kind: 'text',
    meaning: 'a file of colouring rules, for the first service; needs `@laneway/rules`',
    fallback: 'none',
  },
  otel: {
    variable: 'LANEWAY_OTEL',
    kind: 'flag',
    meaning: 'keep the lane in the OpenTelemetry context; needs `@laneway/otel`',
    fallback: 'off',
  },
} as const satisfies Readonly<Record<string, Field>>
