import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkControl } from '../src/doctor/check-control.js'

t.test('the doctor shows what a control document says, and finds what a process would refuse', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-doctor-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const check = (control: string | undefined) => checkControl({ control } as never, folder)
  const file = (text: string) => {
    writeFileSync(join(folder, 'c.json'), text)
    return check('c.json')
  }
  t.strictSame(check(undefined), {})
  t.match(check('none.json'), { facts: ['none.json is not there: Laneway is on'] })
  t.match(check('nacos:a@b'), { facts: [/^nacos:a@b: health\(\)/] })
  t.match(file('{"enabled": false, "maxInFlight": 3}'), { facts: [/^c\.json of \d{4}-\S+: OFF, maxInFlight$/] })
  t.match(file('{}'), { facts: [/: on$/] })
  for (const text of ['{', '[]', '{"enabeld": true}', '{"propagateTo": ["a b"]}']) {
    t.match(file(text), { findings: [{ level: 'error', problem: /^the control document is wrong: c\.json/ }] }, text)
  }
  t.match(check('.'), { findings: [{ level: 'error', problem: /cannot be read/ }] })
})
