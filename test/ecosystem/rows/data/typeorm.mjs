import { bothWays } from '../../shapes/query.mjs'

/** A pool of two connections of pg. */
export default bothWays({
  library: 'typeorm',
  use: 'queries of pg',
  needs: ['postgresql'],
  async open({ require, resources }) {
    require('reflect-metadata')
    const { DataSource, EntitySchema } = require('typeorm')
    const Item = new EntitySchema({
      name: 'Item',
      tableName: 'items',
      columns: { id: { type: Number, primary: true }, name: { type: String } },
    })
    const source = new DataSource({
      type: 'postgres',
      url: resources.postgresql.url,
      poolSize: 2,
      entities: [Item],
      synchronize: true,
    })
    await source.initialize()
    const items = source.getRepository('Item')
    await items.save(Array.from({ length: 40 }, (_, id) => ({ id, name: `item ${id}` })))
    return { connections: { source, items }, close: () => source.destroy() }
  },
  forms: {
    find: ({ items }, id) => items.findOneByOrFail({ id }),
    query: ({ source }, number) => source.query('SELECT $1::int AS value', [number]),
    transaction: ({ source }, id) => source.transaction(manager => manager.findOneBy('Item', { id })),
    save: ({ items }, id) => items.save({ id, name: `item ${id}` }),
  },
})
