// How the tests of each project are run so that every single result can be read. Paths are those of a checkout.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAva, readJest, readLines, readMocha } from './results.mjs'

const reporter = fileURLToPath(new URL('./reporter.mjs', import.meta.url))
const mochaReporter = fileURLToPath(new URL('./mocha-reporter.cjs', import.meta.url))
const eachFile = fileURLToPath(new URL('./each-file.mjs', import.meta.url))

const NO_TESTS = 'its npm package holds no tests'

/**
 * By the name in `package.json`: `command` is what the project's own script runs, with a reporter that a program can
 * read in its place; `files` are the tests, `short` those that CI runs. `absent` says why nothing runs without a checkout.
 */
export const SUITES = {
  express: {
    repository: 'https://github.com/expressjs/express',
    absent: NO_TESTS,
    command: out => mocha(out, ['--require', 'test/support/env', '--check-leaks', 'test/', 'test/acceptance/']),
    read: readMocha,
  },
  koa: {
    repository: 'https://github.com/koajs/koa',
    absent: NO_TESTS,
    files: folder => testFiles(folder, '__tests__', /\.test\.js$/),
    command: nodeTest,
    read: readLines,
  },
  axios: {
    repository: 'https://github.com/axios/axios',
    absent: NO_TESTS,
    files: folder => testFiles(folder, 'test/unit', /\.js$/),
    command: (out, files) => mocha(out, ['--timeout', '30000', '--exit', ...files]),
    read: readMocha,
  },
  got: {
    repository: 'https://github.com/sindresorhus/got',
    absent: NO_TESTS,
    files: folder => topFiles(folder, 'test', /(?<!\.types|helpers)\.ts$/),
    command: (_out, files) => ['node_modules/.bin/ava', '--tap', '--concurrency=1', ...files],
    environment: { NODE_OPTIONS: '--import=tsx/esm' },
    read: readAva,
  },
  undici: {
    repository: 'https://github.com/nodejs/undici',
    absent: NO_TESTS,
    files: folder => [
      ...topFiles(folder, 'test', /\.js$/),
      ...['cache-interceptor', 'fetch', 'interceptors', 'node-test'].flatMap(name =>
        topFiles(folder, `test/${name}`, /\.js$/),
      ),
    ],
    command: (out, files) => nodeTest(out, files, ['--expose-gc', '--test-timeout=60000']),
    read: readLines,
  },
  'http-proxy': {
    repository: 'https://github.com/http-party/node-http-proxy',
    absent: NO_TESTS,
    files: folder => topFiles(folder, 'test', /^lib-.*-test\.js$/),
    command: (_out, files) => anyMocha(files, ['--timeout', '10000']),
    read: readLines,
  },
  // 3 with jest; 4 is tested with vitest and needs Node 22.
  'http-proxy-middleware': {
    repository: 'https://github.com/chimurai/http-proxy-middleware',
    absent: NO_TESTS,
    files: folder => testFiles(folder, 'test', /\.spec\.ts$/),
    command: (out, files) => ['node_modules/.bin/jest', '--runInBand', '--json', `--outputFile=${out}`, ...files],
    read: readJest,
  },
  nock: {
    repository: 'https://github.com/nock/nock',
    absent: NO_TESTS,
    files: folder => testFiles(folder, 'tests', /\/test_.*\.js$/),
    command: (_out, files) => anyMocha(files, ['--exit']),
    read: readLines,
  },
  ws: {
    repository: 'https://github.com/websockets/ws',
    absent: NO_TESTS,
    files: folder => topFiles(folder, 'test', /\.test\.js$/),
    command: (_out, files) => anyMocha(files, ['--throw-deprecation']),
    read: readLines,
  },
  superagent: {
    repository: 'https://github.com/ladjs/superagent',
    absent: NO_TESTS,
    files: folder => [...topFiles(folder, 'test', /\.js$/), ...topFiles(folder, 'test/node', /\.js$/)],
    command: (_out, files) => anyMocha(files, ['--require', 'should', '--timeout', '5000', '--exit']),
    environment: { NODE_ENV: 'test' },
    read: readLines,
  },
  'node-fetch': {
    repository: 'https://github.com/node-fetch/node-fetch',
    absent: NO_TESTS,
    files: folder => topFiles(folder, 'test', /\.js$/),
    command: (_out, files) => anyMocha(files, ['--timeout', '10000', '--exit']),
    read: readLines,
  },
  mysql: {
    repository: 'https://github.com/mysqljs/mysql',
    absent: NO_TESTS,
    // Against its own FakeServer; the others need a database with users of their own.
    files: folder => testFiles(folder, 'test/unit', /\/test-.*\.js$/),
    command: (out, files) => [eachFile, out, ...files],
    read: readLines,
  },
  pg: {
    repository: 'https://github.com/brianc/node-postgres (packages/pg)',
    absent: NO_TESTS,
    files: folder => testFiles(folder, 'test/unit', /-tests\.js$/),
    command: (out, files) => [eachFile, out, ...files],
    read: readLines,
  },
  '@fastify/reply-from': {
    repository: 'https://github.com/fastify/fastify-reply-from',
    files: folder => topFiles(folder, 'test', /\.test\.js$/),
    short:
      /\/(http-(agents|http2|retry|timeout)|http1-|on-error|retry-|rewrite-headers|undici-(agent|chaining|custom|global|retry|timeout)|unix-http)/,
    command: (out, files) => nodeTest(out, files, ['--test-timeout=120000']),
    read: readLines,
  },
  '@fastify/http-proxy': {
    repository: 'https://github.com/fastify/fastify-http-proxy',
    files: folder => topFiles(folder, 'test', /^(?!export|options|utils).*\.js$/),
    short: /\/(http-|socket|websocket|ws-(?!reconnect))/,
    command: (out, files) => nodeTest(out, files, ['--test-timeout=120000']),
    read: readLines,
  },
  'express-http-proxy': {
    repository: 'https://github.com/villadora/express-http-proxy',
    // Some ask hosts of the Internet; handleProxyError ends Node 20 itself with a failed assertion.
    files: folder => topFiles(folder, 'test', /^(?!constants|handleProxyError|https|status|verbs).*\.js$/),
    command: (_out, files) => anyMocha(files, ['--timeout', '5000', '--exit']),
    read: readLines,
  },
  'light-my-request': {
    repository: 'https://github.com/fastify/light-my-request',
    files: folder => topFiles(folder, 'test', /\.test\.js$/),
    command: (out, files) => nodeTest(out, files),
    read: readLines,
  },
  // The tests of channels need RabbitMQ on port 5672.
  amqplib: {
    repository: 'https://github.com/amqp-node/amqplib',
    files: folder => topFiles(folder, 'test', /^(bitset|codec|connection|frame|mux|data)\.test\.js$/),
    command: (out, files) => nodeTest(out, files, ['--test-timeout=60000']),
    read: readLines,
  },
}

/** Hooked drivers whose tests nothing here can run; `npm run test:ecosystem` has rows of each against a real server. */
export const NO_SUITE = {
  mysql2: 'its npm package holds no tests, and they need a MySQL server',
  redis: 'its npm package holds no tests, and they need Docker',
  ioredis: 'its npm package holds no tests, and they need a Redis server',
  mongodb: 'its npm package holds no tests, and they need a MongoDB server',
}

function mocha(out, args) {
  return ['node_modules/.bin/mocha', '--reporter', 'json', '--reporter-option', `output=${out}`, ...args]
}

/** mocha of any version, that of the checkout or the one above it. */
function anyMocha(files, args) {
  return ['--eval', MOCHA, '--', '--reporter', mochaReporter, ...args, ...files]
}

/** Old versions start their program in a child, so the program is loaded itself. */
const MOCHA = `const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const require_ = createRequire(join(process.cwd(), 'index.js'))
const bin = join(dirname(require_.resolve('mocha/package.json')), 'bin', '_mocha')
process.argv.splice(1, 0, bin)
require_(bin)`

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
