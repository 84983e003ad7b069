/** Reads an object of a store that speaks S3. */
export default {
  library: '@aws-sdk/client-s3',
  full: true,
  use: 'GetObject, with its retries',
  explicit: true,
  ignore: ['amz-sdk-invocation-id', 'x-amz-date', 'authorization', 'amz-sdk-request'],
  answer({ times, path }) {
    if (times === 1) return { status: 503, headers: { 'content-type': 'application/xml' }, body: '<Error/>' }
    return { headers: { 'content-type': 'text/plain', etag: '"1"' }, body: `object ${path}` }
  },
  async service({ require, agent, targetOf }) {
    const { S3Client, GetObjectCommand } = require('@aws-sdk/client-s3')
    const { NodeHttpHandler } = require('@smithy/node-http-handler')
    const requestHandler = new NodeHttpHandler({ httpAgent: agent() })
    const clients = new Map()
    const clientOf = endpoint => {
      if (!clients.has(endpoint)) {
        const credentials = { accessKeyId: 'none', secretAccessKey: 'none' }
        const options = { endpoint, region: 'local', forcePathStyle: true, credentials, requestHandler }
        clients.set(endpoint, new S3Client({ ...options, requestChecksumCalculation: 'WHEN_REQUIRED' }))
      }
      return clients.get(endpoint)
    }
    return async (req, res) => {
      const command = new GetObjectCommand({ Bucket: 'bucket', Key: req.url.slice(1) })
      const { Body } = await clientOf(targetOf(req)).send(command)
      res.end(await Body.transformToString())
    }
  },
}
