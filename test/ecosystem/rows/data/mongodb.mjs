import { bothWays } from '../../shapes/query.mjs'

const sorted = (items, _id) => items.find({ _id: { $lte: _id } }, { batchSize: 5, sort: { _id: 1 } })

/** A pool of two connections. The driver has promises and cursors, and no callbacks since version 5. */
export default bothWays({
  library: 'mongodb',
  use: 'queries of FerretDB',
  full: true,
  needs: ['ferretdb'],
  async open({ require, resources, way }) {
    const { MongoClient } = require('mongodb')
    const client = new MongoClient(resources.ferretdb.url, { maxPoolSize: 2, minPoolSize: 2 })
    await client.connect()
    const items = client.db().collection(`items-${way}`.replaceAll(' ', '-'))
    const put = _id => items.replaceOne({ _id }, { name: `item ${_id}` }, { upsert: true })
    await Promise.all(Array.from({ length: 40 }, (_, number) => put(number)))
    return { connections: items, close: () => client.close() }
  },
  forms: {
    promise: (items, _id) => items.findOne({ _id }),
    update: async (items, _id) => (await items.updateOne({ _id }, { $set: { name: `item ${_id}` } })).matchedCount,
    cursor: (items, _id) => sorted(items, _id).toArray(),
    stream(items, _id, done) {
      const seen = []
      const stream = sorted(items, _id).stream()
      stream.on('data', one => seen.push(one._id))
      stream.on('error', done)
      stream.on('end', () => done(undefined, seen))
    },
  },
})
