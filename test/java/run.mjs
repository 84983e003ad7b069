// Laneway beside Java services, on a real Nacos.
import { parseArgs } from 'node:util'
import { javaProblem } from '../servers/java/start.mjs'

const HELP = `npm run test:java [-- PART...] [OPTION...]

Parts (default: all of them)
  http     Spring services between Node services: with lanes, and with OpenTelemetry's baggage alone
  leave    a Node service leaves under load; Spring keeps its list for 35 s
  grpc     grpc-java and Node, in both directions

Options
  --nacos KIND     nacos3 (default) or nacos2
  --requests N     requests of each lane through each chain (default 300)
  --short          without the part "leave", which takes a minute
  --broken         with a fault in each part, so that each has to fail
  --help

Needs JDK 17 and Maven 3.8; the first run downloads 250 MB into ~/.cache/laneway-nacos.
Ends with "N passed, N failed, N skipped". Without Java all is skipped.`

const PARTS = ['http', 'leave', 'grpc']
const { values, positionals } = options()
const parts = positionals.length > 0 ? positionals : PARTS.filter(part => !(values.short && part === 'leave'))
const counts = { passed: 0, failed: 0, skipped: 0 }

if (values.help) console.log(HELP)
else {
  await main()
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = counts.failed > 0 ? 1 : 0
}

function options() {
  const refuse = message => {
    console.error(`${message}\n\n${HELP}`)
    process.exit(2)
  }
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        nacos: { type: 'string', default: 'nacos3' },
        requests: { type: 'string', default: '300' },
        short: { type: 'boolean', default: false },
        broken: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const unknown = parsed.positionals.find(part => !PARTS.includes(part))
    if (unknown !== undefined) refuse(`no such part: ${unknown}`)
    if (!(Number(parsed.values.requests) >= 1)) refuse(`--requests is not a number: ${parsed.values.requests}`)
    return parsed
  } catch (error) {
    return refuse(error.message)
  }
}

async function main() {
  const { checks } = await partsOf()
  const problem = javaProblem()
  if (problem !== undefined) return skip(problem, checks)
  // Not earlier: the packages and the servers are needed only here.
  const { createWorld } = await import('./world.mjs')
  let world
  try {
    await fetchPrograms()
    world = await createWorld(values.nacos)
  } catch (error) {
    return skip(error.message, checks)
  }
  console.log(`Nacos ${world.version}`)
  const settings = { requests: Number(values.requests), broken: values.broken, report, check }
  try {
    for (const { name, run } of (await partsOf()).chosen) {
      console.log(`# ${name}`)
      await run(world, settings)
    }
  } catch (error) {
    check(false, 'the run ended early', error.stack)
  } finally {
    await world.close()
  }
}

async function partsOf() {
  const chosen = []
  if (parts.includes('http')) chosen.push({ name: 'http', ...(await load('./http-part.mjs', 'runHttp')) })
  if (parts.includes('leave')) chosen.push({ name: 'leave', ...(await load('./leave-part.mjs', 'runLeave')) })
  if (parts.includes('grpc')) chosen.push({ name: 'grpc', ...(await load('./grpc-part.mjs', 'runGrpc')) })
  return { chosen, checks: chosen.reduce((sum, part) => sum + part.checks, 0) }
}

async function load(file, name) {
  const part = await import(file)
  return { run: part[name], checks: part.checks }
}

/** What Maven has to download is a reason to skip; what does not start afterwards is a failure. */
async function fetchPrograms() {
  const { agentJar, grpcClassPath, springClassPath } = await import('../servers/java/start.mjs')
  if (parts.includes('http') || parts.includes('leave')) await springClassPath()
  if (parts.includes('http')) await agentJar()
  if (parts.includes('grpc')) await grpcClassPath()
}

function skip(why, checks) {
  counts.skipped += checks
  console.log(`not run: ${why}`)
}

function check(holds, what, more) {
  counts[holds ? 'passed' : 'failed']++
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${more === undefined ? '' : `: ${more}`}`)
}

/** A check for each lane of a chain. */
function report(title, chain, result) {
  for (const [lane, { requests, wrong, failed }] of result.lanes) {
    const what = `${title} (${chain.join(' -> ')}), ${lane ?? 'no lane'}`
    check(wrong + failed === 0 && requests > 0, what, `${requests} requests, ${wrong} wrong, ${failed} failed`)
  }
  for (const fault of result.faults) console.log(`     ${fault}`)
}
