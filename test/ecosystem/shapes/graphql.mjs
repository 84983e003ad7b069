/** A query for four items, which a DataLoader asks for together, and one field by fetch. */
export const graphqlRequest = number => ({
  method: 'POST',
  path: `/graphql?id-${number}`,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: '{ items { name } direct }' }),
})

export const typeDefs = 'type Item { name: String } type Query { items: [Item] direct: String }'

/** Each request has a loader of its own, as its README says. */
export function createContext(ask, headers, DataLoader) {
  const load = async keys => {
    const body = await ask(headers, `batch-${keys.length}`)
    return keys.map(key => `${key} ${body}`)
  }
  return { headers, loader: new DataLoader(load) }
}

export const resolversOf = ask => ({
  Query: {
    items: () => [1, 2, 3, 4],
    direct: (_parent, _args, { headers }) => ask(headers, 'direct', true),
  },
  Item: { name: (key, _args, { loader }) => loader.load(key) },
})
