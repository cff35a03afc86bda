//! Requests, counted once each, by route and outcome.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{Api, Metrics, register};
use crate::error::ApiError;

/// Upper ends in seconds: a check takes a tenth of a millisecond, a long poll up to a minute.
const BUCKETS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0,
];

/// What is counted of requests.
#[derive(Debug)]
pub(super) struct Http {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Family<ApiLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    api: &'static str,
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    api: &'static str,
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabels {
    api: &'static str,
}

/// A request that is being answered. Dropped without an answer, it counts as abandoned.
#[derive(Debug)]
pub(crate) struct Observation<'a> {
    http: &'a Http,
    labels: Option<RequestLabels>,
    begun: Instant,
    in_flight: Gauge,
}

/// Counts a request. It sits inside of the request's id, so that it sees errors before they are written.
pub(crate) async fn layer(
    State((metrics, api)): State<(Metrics, Api)>,
    request: Request,
    next: Next,
) -> Response {
    let observation = metrics.begin(api, &request);
    let response = next.run(request).await;
    if let Some(error) = response.extensions().get::<ApiError>() {
        metrics.failed(api, error);
    }
    observation.answered(response.status());
    response
}

impl Http {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's, by route",
            Unit::Seconds,
            durations.clone(),
        );
        Self {
            requests: register(registry, "http_requests", "Requests, by route and outcome"),
            durations,
            in_flight: register(
                registry,
                "http_requests_in_flight",
                "Requests being answered",
            ),
        }
    }

    pub(super) fn begin(&self, api: Api, request: &Request) -> Observation<'_> {
        let route = request.extensions().get::<MatchedPath>();
        let api = api.name();
        let in_flight = self.in_flight.get_or_create(&ApiLabels { api }).clone();
        in_flight.inc();
        Observation {
            http: self,
            labels: Some(RequestLabels {
                api,
                method: method(request.method()),
                route: route.map_or("none", MatchedPath::as_str).to_owned(),
                status: "abandoned",
            }),
            begun: Instant::now(),
            in_flight,
        }
    }
}

impl Observation<'_> {
    fn answered(mut self, status: StatusCode) {
        let Some(mut labels) = self.labels.take() else {
            return;
        };
        let route = RouteLabels {
            api: labels.api,
            method: labels.method,
            route: labels.route.clone(),
        };
        let took = self.begun.elapsed().as_secs_f64();
        self.http.durations.get_or_create(&route).observe(took);
        labels.status = class(status);
        self.http.requests.get_or_create(&labels).inc();
    }
}

impl Drop for Observation<'_> {
    fn drop(&mut self) {
        self.in_flight.dec();
        if let Some(labels) = self.labels.take() {
            self.http.requests.get_or_create(&labels).inc();
        }
    }
}

/// The methods that there are; whatever else a caller makes up is one of the others.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
