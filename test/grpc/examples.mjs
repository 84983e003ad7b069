// Runs the examples for nice-grpc, Nest and connect that stand in the README of @laneway/grpc, as they stand there.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { createRequire } from 'node:module'
import { freePorts } from './run-cell.mjs'

const require = createRequire(import.meta.url)
const readme = readFileSync(new URL('../../packages/grpc/README.md', import.meta.url), 'utf8')
const AsyncFunction = (async () => {}).constructor

/** Runs a block with these names, and returns its `client`. @param port - of the service that the block calls */
async function run(name, port, scope) {
  const block = new RegExp(`^\`\`\`js ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(readme)?.[1]
  assert.ok(block, `the README has a block "js ${name}"`)
  const code = block.replaceAll('sc-b:50051', `sc-b:${port}`)
  return new AsyncFunction(...Object.keys(scope), `${code}\nreturn client`)(...Object.values(scope))
}

/** @returns what each example came to */
async function examples() {
  const { currentLane, runInLane } = require('@laneway/core')
  const { createLaneResolver, createStaticSource } = require('@laneway/discovery')
  const { laneChannel, laneInterceptor } = require('@laneway/grpc')
  const { laneTransport } = require('@laneway/grpc/connect')
  const { laneServer } = require('@laneway/http')
  const say = async () => `lane ${currentLane()?.header}`

  const resolverOf = async port => {
    const source = createStaticSource({ 'sc-b': [{ host: '127.0.0.1', port }] })
    const resolver = createLaneResolver({ sources: [source], services: ['sc-b'] })
    await resolver.ready('sc-b')
    return resolver
  }

  const all = {
    async 'nice-grpc'(port) {
      const { ChannelCredentials } = require('@grpc/grpc-js')
      const { createClient, createServer } = require('nice-grpc')
      const { ECHO } = require('./stacks/nice-grpc.cjs')
      const nothing = async () => ({ value: '' })
      const implementation = {
        ...Object.fromEntries(Object.keys(ECHO).map(name => [name, nothing])),
        unary: async () => ({ value: await say() }),
      }
      const client = await run('nice-grpc', port, {
        ...{ createServer, createClient, ChannelCredentials, laneInterceptor, laneChannel, implementation },
        ...{ definition: ECHO, address: `127.0.0.1:${port}`, resolver: await resolverOf(port) },
      })
      return async () => (await client.unary({ value: 'x' })).value
    },
    async nest(port) {
      require('reflect-metadata')
      const { Module } = require('@nestjs/common')
      const { NestFactory } = require('@nestjs/core')
      const { ClientProxyFactory, Transport } = require('@nestjs/microservices')
      const { lastValueFrom } = require('rxjs')
      const { controllerOf, proto } = require('./stacks/nest.cjs')
      class AppModule {}
      Module({ controllers: [controllerOf({ unary: say })] })(AppModule)
      const client = await run('nest', port, {
        ...{ NestFactory, ClientProxyFactory, Transport, AppModule, laneInterceptor, laneChannel },
        ...{ protoPath: proto.protoPath, address: `127.0.0.1:${port}`, resolver: await resolverOf(port) },
      })
      return async () => (await lastValueFrom(client.getService('Echo').unary({ value: 'x' }))).value
    },
    async connect(port) {
      const { createClient } = require('@connectrpc/connect')
      const { connectNodeAdapter, createGrpcTransport } = require('@connectrpc/connect-node')
      const { Echo } = require('./stacks/connect.cjs')
      const routes = router => router.service(Echo, { unary: async () => ({ value: await say() }) })
      const client = await run('connect', port, {
        ...{ http2, laneServer, laneTransport, createClient, createGrpcTransport, connectNodeAdapter },
        ...{ Echo, routes, port, resolver: await resolverOf(port) },
      })
      return async () => (await client.unary({ value: 'x' })).value
    },
  }
  // The last one has the grpc-js of the repository beside that of this folder.
  const two = {
    async 'two copies of grpc-js'(port) {
      const grpc = require('@grpc/grpc-js')
      const stack = require('./stacks/grpc-js.cjs')
      await stack.serve(port, { unary: say }, [laneInterceptor()])
      const lanes = laneChannel({ resolver: await resolverOf(port), Channel: grpc.Channel })
      return () => stack.connect(`sc-b:${port}`, false, lanes).unary('x')
    },
  }
  const results = []
  for (const [name, prepare] of Object.entries(process.env.GRPC_VERSION === undefined ? two : all)) {
    try {
      const [port] = await freePorts(1)
      const ask = await prepare(port)
      assert.equal(await runInLane('gray', ask), 'lane gray')
      assert.equal(await ask(), 'lane undefined')
      results.push({ name })
    } catch (error) {
      results.push({ name, error: String(error?.stack ?? error) })
    }
  }
  return results
}

console.log(JSON.stringify({ results: await examples() }))
process.exit(0)
