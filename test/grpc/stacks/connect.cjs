// A server of connect over HTTP/2, and clients that speak gRPC to it.
const http2 = require('node:http2')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { createClient, ConnectError, Code } = require('@connectrpc/connect')
const { connectNodeAdapter, createGrpcTransport } = require('@connectrpc/connect-node')
const { create, createFileRegistry } = require('@bufbuild/protobuf')
const { FileDescriptorProtoSchema, FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt')
const { laneServer } = require('@laneway/http')
const { laneTransport } = require('@laneway/grpc/connect')

/** The descriptor of echo.proto, read without a compiler. */
function describe() {
  const methods = [
    ...readFileSync(join(__dirname, '../echo.proto'), 'utf8').matchAll(
      /rpc (\w+) \((stream )?Text\) returns \((stream )?Text\)/g,
    ),
  ]
  const file = create(FileDescriptorProtoSchema, {
    name: 'echo.proto',
    package: 'test',
    syntax: 'proto3',
    messageType: [{ name: 'Text', field: [{ name: 'value', number: 1, type: 9, label: 1, jsonName: 'value' }] }],
    service: [
      {
        name: 'Echo',
        method: methods.map(([, name, client, server]) => ({
          name,
          inputType: '.test.Text',
          outputType: '.test.Text',
          clientStreaming: client !== undefined,
          serverStreaming: server !== undefined,
        })),
      },
    ],
  })
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }), () => undefined).getService('test.Echo')
}
const Echo = describe()

async function* of(texts) {
  for await (const value of texts) yield { value }
}

async function* each(requests, one) {
  for await (const { value } of requests) yield { value: await one(value) }
}

const unary =
  handle =>
  async ({ value }) => {
    try {
      return { value: await handle(value) }
    } catch (error) {
      throw new ConnectError(error.message, Code.Unavailable)
    }
  }

/** Lanes by `laneServer`: connect uses the compatibility API. @param lanes - `false` for the control */
async function serveWith(lanes, port, handlers) {
  const routes = router =>
    router.service(Echo, {
      unary: unary(handlers.unary),
      collect: async requests => {
        const parts = []
        for await (const { value } of requests) parts.push(handlers.one(value))
        return { value: await handlers.collected(parts) }
      },
      list: ({ value }) => of(handlers.list(value)),
      chat: requests => each(requests, handlers.one),
    })
  const plain = http2.createServer(connectNodeAdapter({ routes }))
  const server = lanes ? laneServer(plain) : plain
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
}

function clientOf(transport) {
  const client = createClient(Echo, transport)
  const all = async (parts, now) => {
    const seen = []
    for await (const { value } of parts) seen.push(`${now()}<${value}`)
    return seen
  }
  return {
    unary: async value => (await client.unary({ value })).value,
    collect: async texts => (await client.collect(of(texts))).value,
    list: (value, now) => all(client.list({ value }), now),
    chat: (texts, now) => all(client.chat(of(texts)), now),
    close: () => {},
  }
}

module.exports = {
  Echo,
  lacks: {
    flaky: 'connect has no retry policy',
    hedged: 'connect has no hedging',
  },
  serveInLanes: (port, handlers) => serveWith(true, port, handlers),
  // connect keeps the context of its callers where it sends: here the control is a server that reads no lane.
  serveControl: (port, handlers) => serveWith(false, port, handlers),
  connect: target => clientOf(createGrpcTransport({ baseUrl: `http://${target}` })),
  connectInLanes: (service, port, resolver) =>
    clientOf(laneTransport(`http://${service}:${port}`, to => createGrpcTransport(to), { resolver })),
}
