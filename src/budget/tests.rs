use futures::FutureExt as _;

use super::*;

fn budget() -> (Clock, Arc<Budget>) {
    let clock = Clock::system();
    (clock.clone(), Arc::new(Budget::new(clock, None)))
}

fn limit(set: impl FnOnce(&mut RateLimit)) -> RateLimit {
    let mut limit = RateLimit::default();
    set(&mut limit);
    limit
}

#[tokio::test]
async fn the_first_request_leaves_alone_and_the_others_wait_for_what_it_learns() {
    let (_, budget) = budget();
    let first = budget.take(Priority::Live).await.unwrap();
    assert_eq!(budget.left().now, 0);
    let waiting = Arc::clone(&budget);
    let second = tokio::spawn(async move { waiting.take(Priority::Live).await.map(drop) });
    while budget.left().waiting == 0 {
        tokio::task::yield_now().await;
    }
    first.answered(&limit(|limit| {
        (limit.max, limit.remaining) = (Some(10), Some(6));
    }));
    second.await.unwrap().unwrap();
    let left = budget.left();
    assert_eq!((left.used_by_others, left.allowed, left.now), (3, 6, 4), "an earlier life has used three");
}

#[tokio::test]
async fn who_would_wait_long_is_told_until_when() {
    let (clock, budget) = budget();
    let Closed::Window(until) = budget.close(Some(Duration::from_hours(1)), false) else { panic!() };
    assert_eq!(budget.take(Priority::Person).await.unwrap_err(), Closed::Window(until));
    assert_eq!(budget.worth(32), 32, "all may come and be told");
    clock.advance(Duration::from_secs(3601));
    assert!(budget.take(Priority::Person).await.is_ok());
}

#[tokio::test]
async fn a_day_that_is_used_up_is_told_and_a_backfill_before_the_others() {
    let (_, budget) = budget();
    let answer = |remaining| {
        limit(|limit| {
            limit.daily_limit = Some(1_000);
            limit.daily_remaining = Some(remaining);
            limit.daily_reset = Some(Duration::from_hours(2));
        })
    };
    budget.take(Priority::Live).await.unwrap().answered(&answer(80));
    assert!(matches!(budget.take(Priority::Backfill).await, Err(Closed::Reserve(_))));
    budget.take(Priority::Retry).await.unwrap().answered(&answer(0));
    assert!(matches!(budget.take(Priority::Person).await, Err(Closed::Day(_))));
}

#[tokio::test]
async fn a_place_that_was_not_used_is_given_back() {
    let (_, budget) = budget();
    budget.take(Priority::Live).await.unwrap().answered(&limit(|limit| limit.max = Some(2)));
    budget.take(Priority::Live).await.unwrap().unused();
    assert_eq!(budget.left().now, 1);
}

#[tokio::test]
async fn a_person_goes_before_live_events_before_retries_before_a_backfill() {
    let (_, budget) = budget();
    let small = limit(|limit| {
        limit.max = Some(1);
        limit.interval = Some(Duration::from_millis(300));
    });
    budget.take(Priority::Live).await.unwrap().answered(&small);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for class in Priority::ALL.into_iter().rev() {
        let (waiting, order) = (Arc::clone(&budget), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            let place = waiting.take(class).await.unwrap();
            order.lock().unwrap().push(class);
            place.answered(&small);
        }));
        while budget.left().waiting < tasks.len() {
            tokio::task::yield_now().await;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), Priority::ALL);
}

#[tokio::test]
async fn a_backfill_uses_all_that_is_free_and_whoever_is_more_urgent_never_waits_for_the_windows_end() {
    let (clock, budget) = budget();
    let answer = limit(|limit| limit.max = Some(100));
    budget.take(Priority::Live).await.unwrap().answered(&answer);
    let mut backfill = 0;
    for _window in 0..10 {
        let (mut served, mut waited) = (false, 0);
        for tenth in 0..100 {
            while let Some(place) = budget.take(Priority::Backfill).now_or_never() {
                place.unwrap().answered(&answer);
                backfill += 1;
            }
            if tenth >= 50 && !served {
                match budget.take(Priority::Live).now_or_never() {
                    Some(place) => {
                        place.unwrap().answered(&answer);
                        served = true;
                    }
                    None => waited += 1,
                }
            }
            clock.advance(Duration::from_millis(100));
        }
        assert!(served && waited <= 10, "a live call waited for {waited} tenths of a second");
    }
    // Of each window's 100 one is live, and a margin of one is lost.
    assert!((970..=1_000).contains(&backfill), "{backfill}");
}
