// How the tests of each project are run so that every single result can be read. Paths are those of a checkout.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAva, readMocha, readNodeTest } from './results.mjs'

const reporter = fileURLToPath(new URL('./reporter.mjs', import.meta.url))

/**
 * By the name in `package.json`: `command` is what the project's own script runs, with a reporter that a program can
 * read in its place; `files` are the tests.
 */
export const SUITES = {
  express: {
    repository: 'https://github.com/expressjs/express',
    command: out => mocha(out, ['--require', 'test/support/env', '--check-leaks', 'test/', 'test/acceptance/']),
    read: readMocha,
  },
  koa: {
    repository: 'https://github.com/koajs/koa',
    files: folder => testFiles(folder, '__tests__', /\.test\.js$/),
    command: nodeTest,
    read: readNodeTest,
  },
  axios: {
    repository: 'https://github.com/axios/axios',
    files: folder => testFiles(folder, 'test/unit', /\.js$/),
    command: (out, files) => mocha(out, ['--timeout', '30000', '--exit', ...files]),
    read: readMocha,
  },
  got: {
    repository: 'https://github.com/sindresorhus/got',
    files: folder => topFiles(folder, 'test', /(?<!\.types|helpers)\.ts$/),
    command: (_out, files) => ['node_modules/.bin/ava', '--tap', '--concurrency=1', ...files],
    environment: { NODE_OPTIONS: '--import=tsx/esm' },
    read: readAva,
  },
  undici: {
    repository: 'https://github.com/nodejs/undici',
    files: folder => [
      ...topFiles(folder, 'test', /\.js$/),
      ...['cache-interceptor', 'fetch', 'interceptors', 'node-test'].flatMap(name =>
        topFiles(folder, `test/${name}`, /\.js$/),
      ),
    ],
    command: (out, files) => nodeTest(out, files, ['--expose-gc', '--test-timeout=60000']),
    read: readNodeTest,
  },
}

function mocha(out, args) {
  return ['node_modules/.bin/mocha', '--reporter', 'json', '--reporter-option', `output=${out}`, ...args]
}

function nodeTest(out, files, flags = []) {
  return [
    ...flags,
    '--test',
    '--test-concurrency=2',
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${out}`,
    ...files,
  ]
}

function topFiles(folder, under, pattern) {
  const path = join(folder, under)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter(name => pattern.test(name) && statSync(join(path, name)).isFile())
    .sort()
    .map(name => `${under}/${name}`)
}

function testFiles(folder, under, pattern) {
  const path = join(folder, under)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true })
    .map(name => relative(folder, join(path, name)))
    .filter(name => pattern.test(name))
    .sort()
}
