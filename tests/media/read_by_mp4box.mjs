// Reads MP4 files by mp4box.js and prints, as JSON, what it finds: per file its tracks, per track its samples in order.
// Usage: node read_by_mp4box.mjs FOLDER_OF_MP4BOX FILE...
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [, , folder, ...files] = process.argv
const { createFile, MP4BoxBuffer } = createRequire(import.meta.url)(folder)

function read(path) {
  const bytes = readFileSync(path)
  const found = new Map()
  const file = createFile(true)
  file.onError = (module, message) => {
    throw new Error(`${path}: ${module}: ${message}`)
  }
  file.onReady = (info) => {
    for (const track of info.tracks) {
      found.set(track.id, { codec: track.codec, timescale: track.timescale, samples: [] })
      file.setExtractionOptions(track.id, null, { nbSamples: 1 })
    }
    file.start()
  }
  file.onSamples = (id, _user, samples) => {
    for (const one of samples) {
      const digest = createHash('sha1').update(one.data).digest('hex')
      found.get(id).samples.push([one.dts, one.cts, one.duration, one.is_sync, digest])
    }
  }
  const whole = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(whole, 0))
  file.flush()
  return [...found.values()]
}

process.stdout.write(JSON.stringify(files.map(read)))
