import { LanewayError } from '@laneway/core'
import { nearest } from '@laneway/core/internal'
import { FIELDS } from './fields.js'

const PREFIX = 'LANEWAY_'

/** Variables of our prefix that other packages read. */
const OTHERS = ['LANEWAY_CONSOLE_TOKEN', 'LANEWAY_GATE_PROMETHEUS_TOKEN']

/**
 * Kubernetes gives every container variables for each Service of its namespace. A Service `laneway-gateway` makes
 * LANEWAY_GATEWAY_SERVICE_HOST and more; one named `laneway` makes LANEWAY_PORT=tcp://10.0.0.1:80.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/
const SERVICE_LINK_PORT = /^(tcp|udp|sctp):\/\//

/** Whether Kubernetes, not the operator, has set a variable. */
export function isServiceLink(variable: string, value: string): boolean {
  return SERVICE_LINK.test(variable) || (variable.endsWith('_PORT') && SERVICE_LINK_PORT.test(value))
}

/**
 * Refuses variables of our prefix that do not exist: with `LANEWAY_TURST=edge` the process would believe everybody.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertKnownVariables(env: Readonly<Record<string, string | undefined>>): void {
  const known: string[] = [...OTHERS]
  for (const { variable, kind } of Object.values(FIELDS)) {
    known.push(variable)
    if (kind === 'secret') known.push(`${variable}_FILE`)
  }
  for (const [name, value = ''] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || known.includes(name) || isServiceLink(name, value)) continue
    // Without the prefix, which says nothing about what was meant.
    const meant = nearest(
      name.slice(PREFIX.length),
      known.map(one => one.slice(PREFIX.length)),
    )
    const near = meant === undefined ? undefined : PREFIX + meant
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `there is no variable ${name}${near === undefined ? '; SETTINGS.md of @laneway/register lists all' : `, did you mean ${near}?`}`,
      { suggestion: near },
    )
  }
}
