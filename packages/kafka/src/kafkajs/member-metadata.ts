// kafkajs exports its codec beside its client, which a facade is not given. The form is Kafka's consumer protocol:
// https://kafka.apache.org/protocol.html (ConsumerProtocolSubscription, ConsumerProtocolAssignment).

/** What a member says of itself when it joins. */
export interface MemberMetadata {
  readonly topics: readonly string[]
  readonly userData: Buffer
}

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])

export function encodeMetadata(version: number, topics: readonly string[], userData: string): Buffer {
  const data = Buffer.from(userData)
  return Buffer.concat([int16(version), int32(topics.length), ...topics.map(text), int32(data.length), data])
}

/** Never throws: what another client has written may have another form. */
export function decodeMetadata(bytes: Buffer): MemberMetadata {
  const topics: string[] = []
  try {
    let at = 6
    for (let left = bytes.readInt32BE(2); left > 0; left--) {
      const length = bytes.readInt16BE(at)
      topics.push(bytes.toString('utf8', at + 2, at + 2 + length))
      at += 2 + length
    }
    const length = bytes.readInt32BE(at)
    return { topics, userData: bytes.subarray(at + 4, at + 4 + Math.max(0, length)) }
  } catch {
    return { topics, userData: Buffer.alloc(0) }
  }
}

export function encodeAssignment(assignment: ReadonlyMap<string, readonly number[]>): Buffer {
  const topics = [...assignment].map(([topic, partitions]) =>
    Buffer.concat([text(topic), int32(partitions.length), ...partitions.map(int32)]),
  )
  return Buffer.concat([int16(0), int32(topics.length), ...topics, int32(0)])
}
