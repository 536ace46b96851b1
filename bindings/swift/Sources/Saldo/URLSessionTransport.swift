import Dispatch
import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Sends requests by `URLSession`, with the proxies and the certificates of the system. It follows no redirect, stops reading beyond the
/// size limit, and keeps no cookies and no cache.
public final class URLSessionTransport: HttpTransport, @unchecked Sendable {
    private let session: URLSession
    private let exchanges = Exchanges()

    /// Makes a transport with connections of its own.
    public init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
    }

    deinit {
        session.invalidateAndCancel()
    }

    /// Sends `request` and waits for the whole response.
    public func send(request: HttpRequest) async throws -> HttpResponse {
        guard let url = URL(string: request.url) else { throw TransportFailure.Unexpected(detail: "no URL") }
        var sent = URLRequest(url: url)
        sent.httpMethod = request.method
        sent.httpBody = request.body.isEmpty ? nil : request.body
        sent.timeoutInterval = Double(request.timeoutMs) / 1_000
        request.headers.forEach { sent.setValue($0.value, forHTTPHeaderField: $0.name) }
        let task = session.dataTask(with: sent)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                exchanges.begin(task, limit: request.maxBytes, timeoutMs: request.timeoutMs, continuation)
            }
        } onCancel: {
            task.cancel()
        }
    }
}

/// The requests in progress, by the identifiers of their tasks.
private final class Exchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private struct Exchange {
        let limit: UInt64
        let continuation: CheckedContinuation<HttpResponse, Error>
        var body = Data()
        /// Why this side has cancelled the task.
        var failure: TransportFailure?
    }

    private let lock = NSLock()
    private var exchanges: [Int: Exchange] = [:]

    func begin(
        _ task: URLSessionDataTask, limit: UInt64, timeoutMs: UInt64,
        _ continuation: CheckedContinuation<HttpResponse, Error>
    ) {
        lock.lock()
        exchanges[task.taskIdentifier] = Exchange(limit: limit, continuation: continuation)
        lock.unlock()
        task.resume()
        // `timeoutInterval` begins again with each byte. This limit is for the whole exchange.
        let milliseconds = Int(clamping: min(timeoutMs, 3_600_000))
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self, weak task] in
            if let task { self?.stop(task, because: .Timeout) }
        }
    }

    private func stop(_ task: URLSessionTask, because failure: TransportFailure) {
        lock.lock()
        if exchanges[task.taskIdentifier]?.failure == nil {
            exchanges[task.taskIdentifier]?.failure = failure
        }
        lock.unlock()
        task.cancel()
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        // The redirect itself is the response.
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        lock.lock()
        var isTooLarge = false
        if var exchange = exchanges.removeValue(forKey: dataTask.taskIdentifier) {
            isTooLarge = UInt64(exchange.body.count) + UInt64(data.count) > exchange.limit
            if !isTooLarge {
                exchange.body.append(data)
            }
            exchanges[dataTask.taskIdentifier] = exchange
        }
        lock.unlock()
        if isTooLarge {
            stop(dataTask, because: .TooLarge)
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: Error?) {
        lock.lock()
        let exchange = exchanges.removeValue(forKey: task.taskIdentifier)
        lock.unlock()
        guard let exchange else { return }
        if let failure = exchange.failure {
            exchange.continuation.resume(throwing: failure)
        } else if let error {
            exchange.continuation.resume(throwing: TransportFailure(error))
        } else if let response = task.response as? HTTPURLResponse {
            let headers = response.allHeaderFields.map { HttpHeader(name: "\($0.key)", value: "\($0.value)") }
            let status = UInt16(clamping: response.statusCode)
            exchange.continuation.resume(returning: HttpResponse(status: status, headers: headers, body: exchange.body))
        } else {
            exchange.continuation.resume(throwing: TransportFailure.Broken)
        }
    }
}

extension TransportFailure {
    /// The failure behind an error of `URLSession`. Its text is not kept: it holds the URL.
    init(_ error: Error) {
        guard let error = error as? URLError else {
            self = .Unexpected(detail: "\(type(of: error))")
            return
        }
        switch error.code {
        case .notConnectedToInternet, .dataNotAllowed, .internationalRoamingOff: self = .Offline
        case .cannotFindHost, .dnsLookupFailed: self = .Dns
        case .cannotConnectToHost: self = .Connect
        case .timedOut, .cancelled: self = .Timeout
        case .networkConnectionLost, .badServerResponse, .cannotParseResponse, .zeroByteResource: self = .Broken
        case .secureConnectionFailed, .clientCertificateRequired, .clientCertificateRejected: self = .Tls
        case .serverCertificateUntrusted, .serverCertificateHasUnknownRoot: self = .TlsUntrustedIssuer
        case .serverCertificateHasBadDate: self = .TlsExpired
        case .serverCertificateNotYetValid: self = .TlsNotYetValid
        case .cannotDecodeContentData, .cannotDecodeRawData: self = .Encoding
        case .dataLengthExceedsMaximum: self = .TooLarge
        default: self = .Unexpected(detail: "URLError \(error.code.rawValue)")
        }
    }
}
