import t from 'tap'
import { brokenSetUps, doctorTests } from './broken-set-ups.js'
import { application } from './command-line.js'
import { nacosServer, registered, reportHere } from './nacos-world.js'

doctorTests(t, 20, brokenSetUps, true)

t.test(
  'the doctor finds nothing on OpenTelemetry behind register, good rules, and a port that is registered',
  async t => {
    const nacos = await nacosServer(t)
    await registered(t, nacos, { service: 'sc-b', ip: '127.0.0.1', port: nacos.port })
    const manifest = { scripts: { start: 'node --import @laneway/register --import ./tracing.mjs app.js' } }
    const files = { 'rules.yaml': 'version: 1\nrules: []\n' }
    const folder = application(t, ['register', 'nacos', 'rules'], { manifest, files })
    const env = {
      LANEWAY_NACOS: nacos.address,
      LANEWAY_NACOS_GROUP: 'DEFAULT_GROUP',
      LANEWAY_SERVICE: 'sc-b',
      LANEWAY_PORT: String(nacos.port),
      LANEWAY_RULES: 'rules.yaml',
      LANEWAY_TRUST: 'edge',
    }
    const found = await reportHere({ folder, env })
    t.strictSame(found.findings, [])
    t.same(found.facts.rules, ['rules.yaml, 0 rules'])
  },
)
