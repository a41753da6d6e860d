/** A pod with everything in its names that a stranger may write to break out of a format. */
export const hostileManifest = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'a\u001b[31m\r\n::error::x,y%\u202e{0} [click](https://evil.example)',
    namespace: '"><script>alert(1)</script>&\'',
  },
  spec: {
    containers: [
      {
        name: ']]></x>\u0000{}\n---\n',
        image: 'x',
        command: ['sleep', '1'],
        livenessProbe: { exec: { command: ['sh', '-c', 'true & echo "<b>"'] } },
      },
    ],
  },
});
