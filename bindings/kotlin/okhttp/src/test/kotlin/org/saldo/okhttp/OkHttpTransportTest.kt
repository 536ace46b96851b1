package org.saldo.okhttp

import okhttp3.OkHttpClient
import okhttp3.tls.HandshakeCertificates
import org.saldo.TransportContract
import org.saldo.ffi.HttpTransport

class OkHttpTransportTest : TransportContract() {
    // One client for all tests, as an app has it.
    override fun transport(): HttpTransport = OkHttpTransport(client)

    override fun trusting(certificates: HandshakeCertificates): HttpTransport {
        val trusting = client.newBuilder().sslSocketFactory(certificates.sslSocketFactory(), certificates.trustManager).build()
        return OkHttpTransport(trusting)
    }

    private companion object {
        val client = OkHttpClient()
    }
}
