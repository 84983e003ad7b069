import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'pg',
  use: 'LISTEN and NOTIFY',
  needs: ['postgresql'],
  async open({ require, resources }, consume, name) {
    const { Client } = require('pg')
    const [client, listener] = [1, 2].map(() => new Client({ connectionString: resources.postgresql.url }))
    await Promise.all([client.connect(), listener.connect()])
    listener.on('notification', ({ payload }) => consume(payload))
    await listener.query(`LISTEN "${name}"`)
    const close = () => Promise.all([client.end(), listener.end()])
    return { send: message => client.query('SELECT pg_notify($1, $2)', [name, message]), close }
  },
})
