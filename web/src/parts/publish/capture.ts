// What is published: the camera or a screen, with the microphone.

export type Picture = 'camera' | 'screen'

/** The camera's light goes out. */
export function release(captured: MediaStream): void {
  for (const track of captured.getTracks()) track.stop()
}

export async function capture(picture: Picture): Promise<MediaStream> {
  const audio = { echoCancellation: true, noiseSuppression: true }
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }
  if (picture === 'camera') return navigator.mediaDevices.getUserMedia({ video, audio })
  // A screen of more lines is scaled down here: it would leave too few bits to each.
  const screen = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 30 } },
    audio: false,
  })
  try {
    const voice = await navigator.mediaDevices.getUserMedia({ audio })
    return new MediaStream([...screen.getVideoTracks(), ...voice.getAudioTracks()])
  } catch (error) {
    release(screen)
    throw error
  }
}
