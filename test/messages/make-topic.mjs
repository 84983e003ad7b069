import { until } from './until.mjs'

/** Makes a topic with an admin of kafkajs, whose own wait for leaders ends with an error while the broker does not know it yet. */
export async function makeTopic(admin, topic, options = {}) {
  await admin.createTopics({ topics: [{ topic, ...options }], waitForLeaders: false })
  await until(async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }))
    return topics[0]?.partitions.every(({ leader }) => leader >= 0) === true
  })
}
