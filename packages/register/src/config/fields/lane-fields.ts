import type { Field } from './field.js'

/** Which lanes are read, believed and sent. */
export const LANE_FIELDS = {
  propagateTo: {
    variable: 'LANEWAY_PROPAGATE_TO',
    kind: 'list',
    meaning: 'further hosts, outside of the own network, that receive the tag',
    fallback: 'none',
  },
  keepHandSet: {
    variable: 'LANEWAY_KEEP_HAND_SET',
    kind: 'flag',
    meaning: 'keep a tag that the code itself sets on a call to an outside host',
    fallback: 'off',
  },
  trust: {
    variable: 'LANEWAY_TRUST',
    kind: ['private', 'internal', 'edge'],
    meaning: 'whose tags are trusted: private addresses only (`private`), all senders (`internal`), no sender (`edge`)',
    fallback: '`private`',
  },
  traceToken: {
    variable: 'LANEWAY_TRACE_TOKEN',
    kind: 'secret',
    meaning:
      'senders who are not trusted may ask for the path of a request by `x-laneway-trace: <token>`; `LANEWAY_TRACE_TOKEN_FILE` names a file that holds it',
    fallback: 'none',
  },
  traceAddresses: {
    variable: 'LANEWAY_TRACE_ADDRESSES',
    kind: 'flag',
    meaning: 'such answers show the addresses of the inside',
    fallback: 'off',
  },
  header: {
    variable: 'LANEWAY_HEADER',
    kind: 'list',
    meaning:
      'name of the header that carries the tag; of several, the first that is present is read, and all are written',
    fallback: '`x-mse-tag`',
  },
  formats: {
    variable: 'LANEWAY_FORMATS',
    kind: 'list',
    meaning: 'where the tag is read from, in this order: `header`, `mse-baggage`, `baggage`',
    fallback: '`header,mse-baggage,baggage`',
  },
  baggage: {
    variable: 'LANEWAY_BAGGAGE',
    kind: 'flag-or-mse',
    meaning:
      "also write the lane into the W3C `baggage` header of calls in scope; `mse`: as MSE's member `__microservice_tag__`",
    fallback: 'off',
  },
  ownLane: {
    variable: 'LANEWAY_OWN_LANE',
    kind: ['ignore', 'colour'],
    meaning: '`colour`: work without a tag runs in the own lane of this process',
    fallback: '`ignore`',
  },
  rules: {
    variable: 'LANEWAY_RULES',
    kind: 'text',
    meaning: 'a file of colouring rules, for the first service; needs `@laneway/rules`',
    fallback: 'none',
  },
  messages: {
    variable: 'LANEWAY_MESSAGES',
    kind: ['propagate', 'isolate', 'off'],
    meaning:
      'messages carry their lane and are handled in it (`propagate`); those of the queues in `isolate` also by the consumers of their lane',
    fallback: '`isolate` where `isolate` names queues, else `propagate`',
  },
  isolate: {
    variable: 'LANEWAY_ISOLATE',
    kind: 'list',
    meaning:
      'queues of RabbitMQ and BullMQ, and groups of kafkajs, whose consumers keep lanes apart; the same in base and in lanes',
    fallback: 'none',
  },
  otel: {
    variable: 'LANEWAY_OTEL',
    kind: 'flag',
    meaning: 'keep the lane in the OpenTelemetry context; needs `@laneway/otel`',
    fallback: 'off',
  },
} as const satisfies Readonly<Record<string, Field>>
