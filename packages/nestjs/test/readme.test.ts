import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readmeExample } from '@laneway/testkit'
import t from 'tap'
import * as nestjs from '../src/index.js'

const readme = readFileSync('packages/nestjs/README.md', 'utf8')

t.test('the first example of the README runs as it stands', async t => {
  // Nest's decorators need a flag, which tsx takes from a tsconfig that includes the file.
  const place = resolve(process.env['EXAMPLES_FOLDER'] ?? 'packages/nestjs/test')
  const tsconfig = join(t.testdir(), 'tsconfig.json')
  const compilerOptions = { target: 'es2022', experimentalDecorators: true }
  writeFileSync(tsconfig, JSON.stringify({ compilerOptions, include: [`${place}/.readme-*/*`] }))
  const { code, stdout, stderr } = await readmeExample('packages/nestjs', 0, { TSX_TSCONFIG_PATH: tsconfig })
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'asked in lane gray, price in lane gray\n')
})

t.test('every export is in the README', async t => {
  for (const name of Object.keys(nestjs)) t.match(readme, `${name}`, name)
})
