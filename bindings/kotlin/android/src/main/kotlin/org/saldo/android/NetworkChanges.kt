package org.saldo.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import org.saldo.Saldo

/**
 * Tells [saldo] when the device goes offline, and when it is back. A watch then asks at once, and not when its next turn comes.
 *
 * The app needs the permission `ACCESS_NETWORK_STATE`. Call [close] when the client is shut down.
 */
class NetworkChanges(context: Context, private val saldo: Saldo) : ConnectivityManager.NetworkCallback(), AutoCloseable {
    private val connectivity = context.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager

    init {
        // Without a network, Android calls nothing back.
        if (connectivity.activeNetwork == null) saldo.networkChanged(false)
        connectivity.registerDefaultNetworkCallback(this)
    }

    override fun onAvailable(network: Network): Unit = saldo.networkChanged(true)

    override fun onLost(network: Network): Unit = saldo.networkChanged(false)

    override fun close(): Unit = connectivity.unregisterNetworkCallback(this)
}
