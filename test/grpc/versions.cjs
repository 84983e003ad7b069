// Lets `@grpc/grpc-js` mean the version that GRPC_VERSION names, for every package of this process: `node --require` it.
const Module = require('node:module')
const { pathToFileURL } = require('node:url')

const version = process.env.GRPC_VERSION
const file = require.resolve(version === undefined || version === '1.14' ? '@grpc/grpc-js' : `grpc-js-${version}`)
const resolve = Module._resolveFilename
Module._resolveFilename = function (request, ...rest) {
  return request === '@grpc/grpc-js' ? file : resolve.call(this, request, ...rest)
}
const hook = `export function resolve(name, context, next) {
  return name === '@grpc/grpc-js' ? { url: ${JSON.stringify(pathToFileURL(file).href)}, shortCircuit: true, format: 'commonjs' } : next(name, context)
}`
Module.register(`data:text/javascript,${encodeURIComponent(hook)}`)
