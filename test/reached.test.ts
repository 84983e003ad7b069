import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** Which command runs a test file, by its path. The first match decides. */
const COMMANDS: [path: RegExp, command: string][] = [
  [/^packages\/http\/test\/event-traces\.test\.ts$/, 'test:traces'],
  [/^packages\/[^/]+\/test\/.*\.test\.ts$/, 'test'],
  [/^test\/[^/]+\.test\.ts$/, 'test'],
  [/^(benchmarks|examples\/[^/]+)\/test\/[^/]+\.test\.ts$/, 'test'],
  [/^examples\/recipes\//, 'test:recipes'],
  [/^test\/fuzz\/gateway\//, 'test:fuzz'],
  [/^test\/grpc\//, 'test:grpc'],
  [/^test\/kubernetes\//, 'test:kubernetes'],
  [/^test\/messages\//, 'test:messages'],
  [/^test\/nestjs\//, 'test:nestjs'],
  [/^test\/service-mesh\//, 'test:mesh'],
  [/^test\/testing\//, 'test:testing'],
  [/^test\/walkthrough\//, 'test:walkthrough'],
]

/** Not tests of ours: what a test gives to the library under test. */
const FIXTURES = /^test\/ecosystem\/fixtures\/|^examples\/.*\.yml$/

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')

t.test('every test file is run by a command', async t => {
  const files = execFileSync('git', ['ls-files', '*.test.*'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
  t.ok(files.length > 200, 'git lists the test files')
  for (const file of files) {
    if (FIXTURES.test(file)) continue
    t.ok(
      COMMANDS.some(([path]) => path.test(file)),
      `no command runs ${file}`,
    )
  }
})

t.test('every test command stands in .ci/run and in test/README.md', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const commands = Object.keys(scripts).filter(name => /^test(:|$)/.test(name))
  for (const [, command] of COMMANDS) t.ok(commands.includes(command), `package.json has ${command}`)
  for (const command of commands) {
    const call = command === 'test' ? 'npm test' : `npm run ${command}`
    t.match(read('.ci/run.mjs'), new RegExp(`'${call}|"${call}`), `.ci/run runs ${call}`)
    t.match(read('test/README.md'), `| \`${call}\` |`, `test/README.md describes ${call}`)
  }
})
