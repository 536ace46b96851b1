package org.saldo

import java.io.InputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.SSLContext
import kotlin.concurrent.thread

/** What came over one connection before the answer. */
class Received(val head: List<String>, val body: ByteArray)

/** A server on loopback that reads one request from each connection and then does what [answer] says. It speaks TLS if it has [tls]. */
class FaultServer(tls: SSLContext? = null, private val answer: (Socket, Received) -> Unit) : AutoCloseable {
    private val socket: ServerSocket = InetAddress.getByName("localhost").let { loopback ->
        tls?.serverSocketFactory?.createServerSocket(0, 400, loopback) ?: ServerSocket(0, 400, loopback)
    }
    private val connections = CopyOnWriteArrayList<Socket>()
    val port: Int = socket.localPort
    val url: String = "${if (tls == null) "http" else "https"}://localhost:$port/path?key=secret"
    val requests = CopyOnWriteArrayList<Received>()

    /** How many connections a client has closed while the answer was pending. */
    val closedByClient = AtomicInteger()

    init {
        thread(isDaemon = true, name = "fault-server") {
            while (!socket.isClosed) {
                val connection = try { socket.accept() } catch (_: Exception) { break }
                connections += connection
                thread(isDaemon = true, name = "fault-server-connection") {
                    try {
                        connection.use { serve(it) }
                    } catch (_: Exception) {
                        // A test that breaks a connection on purpose sees it on the client's side.
                    }
                }
            }
        }
    }

    private fun serve(connection: Socket) {
        while (true) {
            val received = read(connection.getInputStream()) ?: return
            requests += received
            answer(connection, received)
            if (connection.isClosed) return
        }
    }

    private fun read(input: InputStream): Received? {
        val head = mutableListOf<String>()
        while (true) {
            val line = line(input) ?: return null
            if (line.isEmpty()) break
            head += line
        }
        val length = head.firstOrNull { it.startsWith("content-length:", ignoreCase = true) }?.substringAfter(':')?.trim()?.toInt() ?: 0
        return Received(head, input.readNBytes(length))
    }

    private fun line(input: InputStream): String? {
        val line = StringBuilder()
        while (true) {
            val byte = input.read()
            if (byte < 0) return null
            if (byte == '\n'.code) return line.toString().trimEnd('\r')
            line.append(byte.toChar())
        }
    }

    /** Waits until the client closes [connection]. */
    fun awaitClose(connection: Socket) {
        try {
            while (connection.getInputStream().read() >= 0) continue
        } catch (_: Exception) {
            // A reset is a close too.
        }
        closedByClient.incrementAndGet()
    }

    override fun close() {
        socket.close()
        connections.forEach { runCatching { it.close() } }
    }
}

/** Sends [text] and [body] as they are. */
fun Socket.send(text: String, body: ByteArray = ByteArray(0)) {
    getOutputStream().write(text.replace("\n", "\r\n").encodeToByteArray() + body)
    getOutputStream().flush()
}

/** Sends a whole response, and leaves the connection open. */
fun Socket.respond(status: String, body: ByteArray, vararg headers: String) =
    send("HTTP/1.1 $status\nContent-Length: ${body.size}\n${headers.joinToString("") { "$it\n" }}\n", body)
