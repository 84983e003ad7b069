// The four ways in which a row runs, and OpenTelemetry without Laneway, which tells what OpenTelemetry changes by itself.
import { fileURLToPath } from 'node:url'

const names = fileURLToPath(new URL('./names.cjs', import.meta.url))
const register = ['--import', '@laneway/register']
export const otel = ['--require', '@opentelemetry/auto-instrumentations-node/register']

/** Nothing is sent anywhere: no exporter, and no detector, which would ask a cloud's metadata service. */
export const OTEL_ENV = {
  OTEL_TRACES_EXPORTER: 'none',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'none',
  OTEL_LOG_LEVEL: 'none',
}

/** `flags` of Node, environment, and the order in the table. */
export const WAYS = {
  plain: { flags: ['--require', names], env: () => ({}) },
  register: { flags: ['--require', names, ...register], env: discovery },
  explicit: { flags: ['--require', names], env: () => ({}) },
  otel: {
    flags: ['--require', names, ...otel, ...register],
    env: file => ({ ...OTEL_ENV, ...discovery(file), LANEWAY_OTEL: '1' }),
  },
  'otel alone': { flags: ['--require', names, ...otel], env: () => OTEL_ENV },
}

function discovery(file) {
  // Without lanes in messages: `npm run test:messages` has rows of its own for them.
  return { LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICES: 'sc-c', LANEWAY_MESSAGES: 'off' }
}

/** The same with --require in place of --import, which makes Node 20 read the program as a module. */
export const requireOnly = flags => flags.map(flag => (flag === '--import' ? '--require' : flag))

/** The environment of a child: ours without what would change Node or Laneway. */
export function environmentOf(way, endpointsFile) {
  const env = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(NODE_|LANEWAY_|OTEL_|npm_|https?_proxy$|no_proxy$)/i.test(name)) env[name] = value
  }
  return { ...env, NODE_NO_WARNINGS: '1', ...WAYS[way].env(endpointsFile) }
}

export const programFile = fileURLToPath(new URL('./program.mjs', import.meta.url))
