import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RegisterConfig } from '@laneway/register/settings'
import { type CheckResult, error, warning } from './finding.js'
import { type Application, locate } from './packages-of.js'

const REGISTER = '@laneway/register'
/** What starts OpenTelemetry before an application. */
const TELEMETRY = /opentelemetry|otel|telemetry|tracing|instrumentation/i

/** A command line of Node, or what `NODE_OPTIONS` adds to it. */
interface Start {
  readonly where: string
  readonly text: string
}

/** How the application is started, as far as this folder says: `NODE_OPTIONS` and the scripts of package.json. */
export function startsOf(app: Application | undefined, env: Readonly<Record<string, string | undefined>>): Start[] {
  const scripts = Object.entries(app?.manifest.scripts ?? {})
    .filter(([name]) => /^(start|dev|serve)/.test(name))
    .map(([name, text]) => ({ where: `script "${name}"`, text }))
  const options = env['NODE_OPTIONS']
  return options === undefined || options === '' ? scripts : [{ where: 'NODE_OPTIONS', text: options }, ...scripts]
}

/** Modules that are loaded before the application, in their order. */
function preloadsOf({ text }: Start): string[] {
  const flags = text.matchAll(/(?:--import|--require|-r)[= ]+("[^"]*"|'[^']*'|\S+)/g)
  return Array.from(flags, ([, name]) => name!.replace(/^["']|["']$/g, ''))
}

const isRegister = (name: string) => name.includes(REGISTER) || /[\\/]register[\\/]dist[\\/]/.test(name)

/** Whether a preload finds what it names, in this folder, and whether Node can load it in that way. */
export function checkPreload(folder: string, starts: readonly Start[]): CheckResult {
  const findings = starts.flatMap(start => {
    const lost = preloadsOf(start)
      .filter(name => isRegister(name) && !isThere(folder, name))
      .map(name =>
        error(
          `${start.where} preloads ${name}, which is not found from ${folder}`,
          `npm install ${REGISTER} in that folder, or start the program with: npx laneway run -- node app.js`,
        ),
      )
    return lost.length > 0 ? lost : mixesOf(start)
  })
  const found = starts.filter(start => preloadsOf(start).some(isRegister)).map(({ where }) => `${REGISTER} by ${where}`)
  return { facts: found.length === 0 ? ['not by NODE_OPTIONS or a start script'] : found, findings }
}

/** Starts that mix the two kinds of modules in a way that does not work on every Node. */
function mixesOf(start: Start): ReturnType<typeof error>[] {
  const required = /(?:--require|-r)[= ]+["']?(\S*[\\/]register[\\/]dist[\\/]esm[\\/]\S+?)["']?(?:\s|$)/.exec(
    start.text,
  )?.[1]
  if (required !== undefined) {
    return [
      error(
        `${start.where} requires ${required}, an ES module, which Node 20 cannot require`,
        `--require ${REGISTER}, which finds the CommonJS build by itself`,
      ),
    ]
  }
  const typescript = preloadsOf(start).find(name => /^ts-node\/register/.test(name))
  if (typescript !== undefined && /--import[= ]/.test(start.text)) {
    return [
      error(
        `${start.where} has --import, and with it Node 20 and 22 read the main file as an ES module, which ${typescript} does not see`,
        `node -r ${REGISTER} -r ${typescript} app.ts`,
      ),
    ]
  }
  return []
}

function isThere(folder: string, name: string): boolean {
  if (name.startsWith('file:')) return existsSync(new URL(name))
  if (name.startsWith('.') || name.startsWith('/')) return existsSync(join(name.startsWith('/') ? '' : folder, name))
  return locate(folder, name.split('/').slice(0, 2).join('/')) !== undefined
}

/** register goes first: what OpenTelemetry has made and wrapped before it cannot be reached any more. */
export function checkTelemetry(
  app: Application | undefined,
  starts: readonly Start[],
  config: RegisterConfig,
): CheckResult {
  const findings = starts.flatMap(start => {
    const preloads = preloadsOf(start)
    const ours = preloads.findIndex(isRegister)
    const before = preloads.slice(0, Math.max(0, ours)).find(name => TELEMETRY.test(name))
    if (before === undefined) return []
    return [
      warning(
        `${start.where} preloads ${before} before ${REGISTER}: what it has made by then carries no tag`,
        `put ${REGISTER} first: --import ${REGISTER} --import ${before}`,
      ),
    ]
  })
  const api = app?.packages.find(({ name }) => name === '@opentelemetry/api')
  const facts = [
    api === undefined
      ? 'not installed'
      : `@opentelemetry/api ${api.version}, LANEWAY_OTEL ${config.otel ? 'on' : 'off'}`,
  ]
  return { facts, findings }
}

/** The first service of a chain must not believe tags; the services behind it must. */
export function checkTrust(config: RegisterConfig): CheckResult {
  const { trust, rules } = config
  const facts = [trust]
  if (rules !== undefined && trust !== 'edge') {
    return {
      facts,
      findings: [
        warning(
          `LANEWAY_RULES colours requests, as at an entrance, and trust is "${trust}": behind a load balancer every client may colour itself`,
          'LANEWAY_TRUST=edge',
        ),
      ],
    }
  }
  return { facts }
}
